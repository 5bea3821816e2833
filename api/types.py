"""What parameters and bodies are made of."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from ninja import Schema
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from api.cursors import LIMIT, MOST
from core.csv_files import plain
from core.days import parse_day


def _day(text: Any) -> date:
    try:
        return parse_day(text)
    except (TypeError, ValueError):
        raise ValueError("Give a day as YYYY-MM-DD.") from None


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]

Limit = Annotated[
    int | None, Field(ge=1, le=MOST, description=f"Lines on a page; {LIMIT:,} where it is not given. JSON only.")
]
Cursor = Annotated[
    str | None, Field(max_length=4000, description="“next” of the page before, with the same parameters. JSON only.")
]


class Body(Schema):
    """What is sent holds nothing that would be ignored."""

    model_config = ConfigDict(extra="forbid")


class Named(Schema):
    id: int
    name: str


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("This has characters that no text has.")
    return text


Text = Annotated[str, AfterValidator(_storable)]

# Ids that a database can hold.
Id = Annotated[int, Field(ge=1, lt=2**63)]


def iso(moment: datetime | date | None) -> str | None:
    """A day, or a moment in UTC to the second."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).isoformat(timespec="seconds")
    return moment.isoformat() if moment else None


def exact(value: Decimal | int | None) -> str | None:
    """An exact decimal as text; null where it is unknown."""
    return None if value is None else plain(value)

"""Reading Prism's answers: money is text in cents, a day is a day, and a call without a token has no key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from syncing.errors import UnexpectedResponseError
from syncing.reader import ListedKey, UsageRow


def read_usage(document: Any) -> list[UsageRow]:
    with _understood():
        return [
            UsageRow(
                external_id=row["token"] and row["token"]["id"],
                key_name=row["token"]["label"] if row["token"] else "",
                day=date.fromisoformat(row["on"]),
                model=row["engine"],
                credits=None,
                minutes=None,
                requests=int(row["calls"]),
                cost=_from_cents(row["cents"]),
                currency=row["currency"].lower() if row["cents"] else "",
            )
            for row in document["lines"]
        ]


def read_plan(document: Any) -> dict[str, Any]:
    """In the form of providers.plan."""
    with _understood():
        return {
            "name": document["tariff"],
            "status": "",
            "used": int(document["calls"]["made"]),
            "included": int(document["calls"]["included"]),
            "resets_at": document["renews"],
            "period_months": 1,
            "overage": None,
            "next_invoice": {"amount": str(_from_cents(document["due_cents"])), "currency": "eur"},
            "currency": "eur",
        }


def read_tokens(document: Any) -> list[ListedKey]:
    with _understood():
        return [
            ListedKey(
                external_id=token["id"],
                name=token["label"],
                hint=token["tail"],
                is_disabled=token["off_because"] is not None,
                disabled_reason=token["off_because"] or "",
                expires_at=None,
                credit_limit=None,
                credits_used=None,
            )
            for token in document["tokens"]
        ]


def _from_cents(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text) / 100


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, ArithmeticError):
        raise UnexpectedResponseError("it has another shape than Prism's documentation says") from None

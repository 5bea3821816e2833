"""What apps above have to say of days that charts draw, with a link to more: the bars that hold these carry a sign."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from core.days import DateRange
from providers.models import Company, Project, Provider


@dataclass(frozen=True)
class DayMark:
    text: str
    url: str
    others_url: str  # the page that lists all of its kind


# Of a company, a provider, an API key or – None – of all of them; only asked for people who may see providers.
Marks: TypeAlias = Mapping[date, DayMark]
MarksOf: TypeAlias = Callable[[Company | Provider | Project | None, DateRange], Marks]

_sources: list[MarksOf] = []


def register_marks(source: MarksOf) -> None:
    """Called by the app that knows of it, from its AppConfig.ready(); ``source`` asks one query."""
    if source not in _sources:
        _sources.append(source)


def marks_of(subject: Company | Provider | Project | None, days: DateRange) -> Marks:
    found: dict[date, DayMark] = {}
    for source in _sources:
        found |= source(subject, days)
    return found

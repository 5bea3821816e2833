"""The range of days that a page shows: read from its URL, named, and printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest

from core import wording
from core.days import EARLIEST_DAY, DateRange, parse_day
from core.querystate import Choice, link
from costs.pages import ranges


class RangeError(ValueError):
    """The URL's range can't be used; the text is for the person."""


@dataclass(frozen=True)
class Preset:
    """A range with a name, offered as a link."""

    label: str
    range: DateRange


def presets(today: date) -> list[Preset]:
    """The named ranges of ``today`` (UTC), the default one first."""
    month_start = today.replace(day=1)
    last_month_end = month_start - timedelta(days=1)
    named = [
        Preset("This month", DateRange(month_start, today)),
        Preset("Last month", DateRange(last_month_end.replace(day=1), last_month_end)),
    ]
    named += [Preset(f"{days} days", DateRange(today - timedelta(days=days - 1), today)) for days in (7, 30, 90)]
    return [*named, Preset("Year to date", DateRange(today.replace(month=1, day=1), today))]


def stepped(days: DateRange, direction: int, *, today: date) -> DateRange | None:
    """The range of the same length right before (-1) or after (1) ``days``; None where there is none to show.

    Whole months – the last may have reached today only – are followed by as many months, a year by a year.
    """
    months = _months(days, today)
    if months:
        first = _month_after(days.first, direction * months)
        last = _month_after(first, months) - timedelta(days=1)
    else:
        first, last = (day + timedelta(days=direction * len(days)) for day in (days.first, days.last))
    if first > today or first < EARLIEST_DAY:
        return None
    return DateRange(first, min(last, today))


def _months(days: DateRange, today: date) -> int:
    """How many whole months ``days`` are; of the year to date twelve, of anything else none."""
    if days.first.day != 1 or (days.last != today and (days.last + timedelta(days=1)).day != 1):
        return 0
    if days.last == today and days.first == today.replace(month=1, day=1) and today.month > 1:
        return 12
    return 12 * (days.last.year - days.first.year) + days.last.month - days.first.month + 1


def _month_after(first: date, months: int) -> date:
    years, month = divmod(first.month - 1 + months, 12)
    return first.replace(year=first.year + years, month=month + 1)


def from_query(query: Mapping[str, str], *, today: date) -> DateRange:
    """The range that ``?from=YYYY-MM-DD&to=YYYY-MM-DD`` names; this month where it names none.

    One end alone is completed: no ``from`` means from the first of ``to``'s month, no ``to`` until today.
    Raises RangeError with a sentence for the person.
    """
    last = _day(query.get("to", ""), "to") or today
    first = _day(query.get("from", ""), "from") or last.replace(day=1)
    if first > last:
        raise RangeError(f"The range ends ({wording.day(last)}) before it begins ({wording.day(first)}).")
    return DateRange(first, last)


def _day(text: str, name: str) -> date | None:
    if not text:
        return None
    try:
        day = parse_day(text)
    except ValueError:
        raise RangeError(f"“{name}” is not a date. Write it as YYYY-MM-DD.") from None
    if not EARLIEST_DAY <= day <= date(2100, 12, 31):
        raise RangeError(f"“{name}” must be between {wording.day(EARLIEST_DAY)} and 31 Dec 2100.")
    return day


@dataclass(frozen=True)
class RangeChoice:
    """The range that a view shows, and the links to others."""

    range: DateRange
    error: str
    asked_from: str  # what the fields of a custom range hold: the range, or the values of the URL that can't be used
    asked_to: str
    presets: tuple[Choice, ...]
    earlier_url: str  # the range of the same length before; empty: there is none
    later_url: str
    is_custom: bool
    name: str  # how a figure of this range is called: "this month", "1–22 Nov 2026"
    query: str  # what a link to another page adds to keep the range: "" or "?from=…&to=…"
    kept: tuple[tuple[str, str], ...]  # the other parameters, for the form of a custom range

    @property
    def status(self) -> int:
        return 422 if self.error else 200

    def with_query(self, **more: str | None) -> str:
        """``query`` with more parameters; those that are None are left out."""
        added = urlencode({name: value for name, value in more.items() if value is not None})
        if not added:
            return self.query
        return f"{self.query}&{added}" if self.query else f"?{added}"


def read_range(request: HttpRequest, *, today: date) -> RangeChoice:
    """The range of the URL; where it can't be used, the default one and the reason."""
    error = ""
    try:
        chosen = ranges.from_query(request.GET, today=today)
    except RangeError as refusal:
        error = str(refusal)
        chosen = ranges.from_query({}, today=today)
    named = ranges.presets(today)
    default = named[0].range
    current = next((preset for preset in named if preset.range == chosen), None)
    links = tuple(
        Choice(
            preset.label,
            link(request, page=None, **_dates(preset.range, default)),
            preset == current,
        )
        for preset in named
    )
    if current is None:
        name = chosen.days
    elif not current.label.endswith("days"):
        name = current.label.lower()
    else:
        name = f"last {current.label}"
    return RangeChoice(
        range=chosen,
        error=error,
        asked_from=request.GET.get("from", "") if error else chosen.first.isoformat(),
        asked_to=request.GET.get("to", "") if error else chosen.last.isoformat(),
        presets=links,
        earlier_url=_stepped_url(request, chosen, -1, today, default),
        later_url=_stepped_url(request, chosen, 1, today, default),
        is_custom=current is None,
        name=name,
        query="" if chosen == default else f"?{chosen.query}",
        kept=tuple((key, str(value)) for key, value in request.GET.items() if key not in {"from", "to", "page"}),
    )


def _stepped_url(request: HttpRequest, days: DateRange, direction: int, today: date, default: DateRange) -> str:
    found = ranges.stepped(days, direction, today=today)
    return link(request, page=None, **_dates(found, default)) if found else ""


def _dates(wanted: DateRange, default: DateRange) -> dict[str, str | None]:
    """The default range needs no parameters, and then stays the default tomorrow."""
    return (
        {"from": None, "to": None}
        if wanted == default
        else {"from": wanted.first.isoformat(), "to": wanted.last.isoformat()}
    )

"""How moments and durations are said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta


def ago(moment: datetime, now: datetime) -> str:
    """ "just now", "12 min ago", "9 hours ago", "3 days ago"."""
    minutes = int((now - moment).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    hours = minutes // 60
    if hours < 48:
        return f"{count(hours, 'hour')} ago"
    return f"{hours // 24} days ago"


def clock(moment: datetime) -> str:
    """ "15:00 UTC"."""
    return f"{moment:%H:%M} UTC"


def moment(value: datetime) -> str:
    """ "22 Nov 2026, 15:04"; the column says that it is UTC."""
    return f"{value.day} {value:%b %Y, %H:%M}"


def duration(length: timedelta) -> str:
    """ "under 1 s", "12 s", "3 min 5 s"."""
    seconds = int(length.total_seconds())
    if seconds < 1:
        return "under 1 s"
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def count(number: int, noun: str) -> str:
    """ "1 key", "12 keys", "1,204 keys"; for nouns whose plural adds an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def joined(parts: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *firsts, last = parts
    return f"{', '.join(firsts)} and {last}" if firsts else last


def day(value: date) -> str:
    """ "22 Nov 2026"."""
    return f"{value.day} {value:%b %Y}"

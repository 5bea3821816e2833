"""Days as people and URLs write them."""

from datetime import date


def parse_day(text: str) -> date:
    """A day as YYYY-MM-DD, and in none of the other ways that ISO 8601 knows; raises ValueError."""
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError(f"{text!r} is not written as YYYY-MM-DD.")
    return day

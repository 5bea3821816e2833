"""The order in which people expect names; for calculations and pages alike."""

from __future__ import annotations

import re


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """For sorting names as people do: "key 9" before "key 10", whatever the capitals."""
    parts = re.split(r"([0-9]{1,15})", text.casefold())
    return tuple((0, int(part)) if part.isdecimal() and part.isascii() else (1, part) for part in parts if part)

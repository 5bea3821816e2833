"""Names that came from outside – of providers, API keys, models, companies, people – as they stand on pages.

Each is isolated: a name in Arabic or Hebrew then turns round neither the suffix, the number nor the sentence that
follows it. In attributes, <option> and <title>, where no element can stand, names stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe


def isolated(name: object) -> SafeString:
    return format_html("<bdi>{}</bdi>", name)


def isolated_payers(text: object) -> SafeString:
    """Of "Acme 60 % · Globex 40 %", as describe_shares() says it, the names."""
    parts = (re.fullmatch(r"(.+?)( [0-9.,]+ %)?", part, re.DOTALL) for part in str(text).split(" · "))
    return format_html_join(" · ", "<bdi>{}</bdi>{}", ((part[1], part[2] or "") for part in parts if part))


def isolated_in(text: str, names: Iterable[str]) -> SafeString:
    """A sentence that was written as text, with those of ``names`` isolated that it mentions."""
    known = sorted({name for name in names if name}, key=len, reverse=True)
    if not known:
        return escape(text)
    pattern = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in known)
    # Between two names stands text; every second piece is a name.
    pieces = re.split(f"({pattern})", text)
    html = (isolated(piece) if place % 2 else escape(piece) for place, piece in enumerate(pieces))
    return mark_safe("".join(html))  # noqa: S308 - both escape

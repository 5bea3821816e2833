"""Statements as PDF: the tables of the page, set by Typst under the agency's letterhead.

The same statement gives the same bytes whenever it is drawn: the file's date is that of the closing. Fonts come with
two packages, none of the machine's are looked at, and nothing is fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, time
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, cast

import manimgx_fonts
import manimgx_fonts_cjk
import typst
from django.utils.safestring import SafeString

from core.cells import text_of
from core.months import days_of, name_of
from core.tables import Row, Table
from core.wording import day
from costs.models import Letterhead, Logo
from costs.pages.statement_papers import Paper
from costs.pages.statement_tables import adjustments_table, sums_table, usage_table

TEMPLATE = Path(__file__).with_name("statement.typ")

_HIDDEN = re.compile(r'<span class="(?:hint__text|visually-hidden)">.*?</span>', re.DOTALL)
_DECIMALS = {
    Letterhead.Decimals.POINT: {},
    Letterhead.Decimals.COMMA: str.maketrans(",.", ".,"),
    Letterhead.Decimals.SPACE: str.maketrans(",.", "\N{NO-BREAK SPACE},"),
}


def statements_pdf(papers: Sequence[Paper], letterhead: Letterhead) -> bytes:
    """One file of them all, each beginning on a page 1 of its own; of at least one, and of one month."""
    first = papers[0].sheet
    drawn = [_statement(paper, letterhead) for paper in papers]
    data = {
        "title": f"Statements of {name_of(first.month)}" if len(drawn) > 1 else drawn[0]["running"],
        "keywords": [statement["client"] for statement in drawn],
        "agency": _agency(letterhead),
        "statements": drawn,
    }
    made_at = first.closed.closed_at if first.closed else datetime.combine(first.month, time(), UTC)
    compiled = partial(
        typst.compile,
        str(TEMPLATE),
        root=str(TEMPLATE.parent),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data)},
        timestamp=int(made_at.timestamp()),
    )
    try:
        return cast("bytes", compiled(pdf_standards=["ua-1"]))
    except typst.TypstError:
        # PDF/UA allows no text that none of the fonts can draw; a box in its place keeps no statement from being sent.
        return cast("bytes", compiled())


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    folders = [str(Path(package.__file__).parent) for package in (manimgx_fonts, manimgx_fonts_cjk)]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


def _agency(letterhead: Letterhead) -> dict[str, Any]:
    logo = letterhead.logo
    content = bytes(logo.content) if logo else b""
    return {
        "name": letterhead.name,
        "address": letterhead.address.splitlines(),
        "email": letterhead.email,
        "footer": letterhead.footer.splitlines(),
        "colour": letterhead.colour,
        # JSON has no bytes.
        "logo": (content.decode() if logo.kind == Logo.Kind.SVG else list(content)) if logo else None,
    }


def _statement(paper: Paper, letterhead: Letterhead) -> dict[str, Any]:
    sheet, currency = paper.sheet, paper.currency
    name = name_of(sheet.month)
    word = "Not closed" if paper.closing_began else "Draft – not closed"
    facts = [
        *([["Number", sheet.number]] if sheet.number else []),
        ["Period", days_of(sheet.month).days],
        *([["Date", day(sheet.closed.closed_at.date())]] if sheet.closed else []),
        *([["Source", "Simulated data"]] if paper.is_simulated else []),
    ]
    had = "had no usage" if sheet.closed else "has no usage"
    usage = usage_table(sheet, currency, shows_keys=False, words=paper.words) if sheet.usage else None
    return {
        "kind": f"Statement {name}",
        "client": sheet.company_name,
        "running": f"Statement {sheet.number or name} – {sheet.company_name}",
        "facts": facts,
        "draft": sheet.closed is None,
        "draft-word": word,
        "usage": _table(usage, letterhead) if usage else None,
        "nothing": f"{sheet.company_name} {had} in {name}{' so far' if paper.unread else ''}.",
        "adjustments": _table(adjustments_table(sheet, paper.words), letterhead) if sheet.adjustments else None,
        "sums": _table(sums_table(sheet, currency, is_known=paper.is_known), letterhead, all_numbers=True),
        "notes": list(paper.notes),
    }


def _table(table: Table, letterhead: Letterhead, *, all_numbers: bool = False) -> dict[str, Any]:
    """As the template wants it; ``all_numbers`` where even the labels are words of ours with numbers in them."""
    numbers = [column.is_number or all_numbers for column in table.columns]

    def cells(row: Row) -> list[list[str]]:
        return [
            printed(cell, letterhead.decimals if is_number else Letterhead.Decimals.POINT)
            for cell, is_number in zip(row.cells, numbers, strict=True)
        ]

    return {
        "columns": [{"label": text_of(column.label), "number": column.is_number} for column in table.columns],
        "rows": [{"cells": cells(row), "muted": row.is_muted, "strong": row.is_strong} for row in table.rows],
        "total": cells(table.total) if table.total else None,
    }


def printed(cell: str, decimals: str) -> list[str]:
    """What paper shows of a cell, line by line: its marks, but no hint that a screen would show on hover."""
    text = cell
    if isinstance(cell, SafeString):
        text = text_of(SafeString(_HIDDEN.sub("", cell).replace("<br>", "\n")))
    return [line.translate(_DECIMALS[Letterhead.Decimals(decimals)]) for line in text.splitlines()] or [""]

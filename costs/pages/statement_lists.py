"""Lists of statements as tables: all of a month, all of a company."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.money import Money, to_cents
from core.paging import Page
from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.pages.words import PageWords
from costs.reports.totals import Totals
from costs.statements.contents import Amounts, StatementView, sum_of


@dataclass(frozen=True)
class _Part:
    """A column of amounts."""

    label: str
    exact: Callable[[Amounts], Decimal]
    is_estimated: Callable[[Amounts], bool] = lambda each: each.estimated


_USAGE = _Part("Usage", lambda each: each.usage, lambda each: each.usage_estimated)
_ADJUSTMENTS = _Part("Adjustments", lambda each: each.adjustments, lambda each: each.adjustments_estimated)
_COST = _Part("Cost", lambda each: each.cost)
_PRICE = _Part("Price", lambda each: each.cost)
_MARKUP = _Part("Mark-up", lambda each: each.markup)
_TOTAL = _Part("Total with mark-up", lambda each: each.total)


def companies_table(
    sheets: Sequence[StatementView],
    currency: str,
    heads: Sequence[str],
    *,
    caption: str,
    csv_url: str,
    words: PageWords,
) -> Table:
    """All statements of a month, ``heads`` naming their companies; adjustments and mark-ups where there are any."""
    columns = _columns(sheets, with_parts=any(sheet.adjustments for sheet in sheets))
    unpriced = sum(sheet.unpriced for sheet in sheets)
    total = (_cell(sum_of(sheets), part, currency, unpriced, words) for part in columns)
    return Table(
        caption,
        (Column("Company", is_number=False), *(Column(part.label) for part in columns)),
        tuple(Row((head, *_cells(sheet, columns, currency, words))) for head, sheet in zip(heads, sheets, strict=True)),
        Row(("Total", *total)),
        csv_url=csv_url,
        says_rounding=_companies_miss(sheets),
    )


def months_table(
    sheets: Sequence[StatementView],
    currency: str,
    heads: Sequence[tuple[str, str]],
    *,
    caption: str,
    csv_url: str,
    words: PageWords,
    page: Page | None = None,
) -> Table:
    """The statements of one company, ``heads`` being month and status of each. Drafts and closed ones have no total."""
    columns = _columns(sheets, with_parts=False)
    return Table(
        caption,
        (
            Column("Month", is_number=False),
            *(Column(part.label) for part in columns),
            Column("Status", is_number=False),
        ),
        tuple(
            Row((month, *_cells(sheet, columns, currency, words), status))
            for (month, status), sheet in zip(heads, sheets, strict=True)
        ),
        csv_url=csv_url,
        page=page,
        says_rounding=_months_miss(sheets),
    )


def billed_totals(sheets: Sequence[StatementView], *, with_markup: bool = False) -> Totals:
    """What statements come to together."""
    part = _TOTAL if with_markup else _COST
    return _totals(sum_of(sheets), part, sum(sheet.unpriced for sheet in sheets))


def _months_miss(sheets: Iterable[StatementView]) -> bool:
    """Whether a row of months_table(), rounded, misses its own total."""
    return any(
        to_cents(each.cost) + to_cents(each.markup) != to_cents(each.total)
        for sheet in sheets
        for each in sheet.amounts
    )


def _companies_miss(sheets: Sequence[StatementView]) -> bool:
    """Whether the rows of companies_table(), rounded, miss its totals, or its columns each other."""
    whole = sum_of(sheets)
    columns = _columns(sheets, with_parts=True)
    return any(_is_off(each) for amounts in (whole, *(sheet.amounts for sheet in sheets)) for each in amounts) or any(
        _misses((_exact(sheet.amounts, part) for sheet in sheets), _exact(whole, part)) for part in columns
    )


def _is_off(each: Amounts) -> bool:
    """Whether an amount, rounded, is not the sum of those that make it up."""
    return to_cents(each.usage) + to_cents(each.adjustments) != to_cents(each.cost) or to_cents(each.cost) + to_cents(
        each.markup
    ) != to_cents(each.total)


def _columns(sheets: Iterable[StatementView], *, with_parts: bool) -> tuple[_Part, ...]:
    sheets = list(sheets)
    after = (_MARKUP, _TOTAL) if any(sheet.percents for sheet in sheets) else ()
    amount = _PRICE if sheets and all(sheet.is_priced for sheet in sheets) else _COST
    return (*((_USAGE, _ADJUSTMENTS) if with_parts else ()), amount, *after)


def _cells(sheet: StatementView, columns: Iterable[_Part], currency: str, words: PageWords) -> Iterator[str]:
    for part in columns:
        if part is _MARKUP and not sheet.percents:
            yield "None"
        else:
            yield _cell(sheet.amounts, part, currency, sheet.unpriced, words)


def _cell(amounts: Sequence[Amounts], part: _Part, currency: str, unpriced: int, words: PageWords) -> str:
    return formatters.money(_totals(amounts, part, unpriced), currency, in_cents=True, words=words)


def _totals(amounts: Sequence[Amounts], part: _Part, unpriced: int) -> Totals:
    return Totals(
        costs=_exact(amounts, part),
        unpriced_rows=0 if part is _ADJUSTMENTS else unpriced,
        estimated=any(part.is_estimated(each) for each in amounts),
    )


def _exact(amounts: Iterable[Amounts], part: _Part) -> tuple[Money, ...]:
    return tuple(Money(each.currency, part.exact(each)) for each in amounts)


def _misses(parts: Iterable[Iterable[Money]], whole: Iterable[Money]) -> bool:
    shown: dict[str, Decimal] = defaultdict(Decimal)
    for part in parts:
        for money in part:
            shown[money.currency] += to_cents(money.amount)
    return any(shown[money.currency] != to_cents(money.amount) for money in whole)

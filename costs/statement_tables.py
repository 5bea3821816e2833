"""Statements as tables: what a client is shown, what the operator sees of all of them, and the same as CSV."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from costs import cells
from costs.coverage import Reading
from costs.exports import csv_text, inert, plain
from costs.metrics import CREDITS, MINUTES, REQUESTS
from costs.models import StatementLine, marked_up
from costs.money import UNKNOWN, Money, to_cents
from costs.months import name_of
from costs.querystate import natural
from costs.statements import Amounts, Sheet, sum_of, totals_of
from costs.tables import Column, Row, Table
from costs.totals import NOTHING, Totals

CHANGED_SINCE = "Restated, priced late or reassigned since"

Exact = Callable[[Amounts], Decimal]


def percent(value: Decimal) -> str:
    """ "20 %", "12.5 %"."""
    return f"{plain(value)} %"


def amounts_cell(amounts: Iterable[Money], currency: str) -> SafeString:
    """Exact amounts, a line per currency; ``currency`` names a zero."""
    shown = tuple(amounts) or (Money(currency or cells.DEFAULT_CURRENCY, Decimal(0)),)
    return format_html_join(mark_safe("<br>"), "{}", ((str(amount),) for amount in shown))


# --- One statement ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Group:
    """An API key with its models, or a model alone."""

    lines: tuple[StatementLine, ...]

    @property
    def first(self) -> StatementLine:
        return self.lines[0]

    @property
    def totals(self) -> Totals:
        return sum((totals_of(line) for line in self.lines), NOTHING)


def usage_table(sheet: Sheet, currency: str, *, shows_keys: bool) -> Table:
    """The usage of a statement, largest first: by API key, and the models of each key that used several.

    Without ``shows_keys`` by model alone, for readers who must not learn the keys' and providers' names.
    """
    rows: list[Row] = []
    if shows_keys:
        for key in _grouped(sheet.usage, _key):
            models = _grouped(key.lines, lambda line: line.model)
            only = models[0].first.model_name if len(models) == 1 else ""
            rows.append(Row((_key_head(key.first, only), *_figures(key.totals, currency))))
            if not only:
                rows += [
                    Row((_model_head(model.first), *_figures(model.totals, currency)), is_muted=True)
                    for model in models
                ]
    else:
        rows = [
            Row((model.first.model_name, *_figures(model.totals, currency)))
            for model in _grouped(sheet.usage, lambda line: line.model)
        ]
    return Table(
        f"Usage of {sheet.company_name} in {name_of(sheet.month)}",
        (
            Column("API key and model" if shows_keys else "Model", is_number=False),
            Column("Credits"),
            Column("Minutes"),
            Column("Requests"),
            Column("Cost"),
        ),
        tuple(rows),
        Row(("Usage", *_figures(sheet.usage_totals, currency))),
    )


def adjustments_table(sheet: Sheet) -> Table:
    """What earlier, closed months have come to cost more or less since."""
    marks_up = bool(sheet.percents)
    return Table(
        "Adjustments to closed months",
        (
            Column("Month", is_number=False),
            Column("Reason", is_number=False),
            Column("Cost"),
            *((Column("Mark-up"), Column("With mark-up")) if marks_up else ()),
        ),
        tuple(
            Row(
                (
                    name_of(line.month),
                    CHANGED_SINCE,
                    _money(line, line.cost),
                    *((_markup(line), _money(line, (line.cost or 0) + line.markup)) if marks_up else ()),
                )
            )
            for line in sheet.adjustments
        ),
    )


@dataclass(frozen=True)
class SumRow:
    """A row of what a statement comes to: an amount per currency."""

    label: str
    amounts: tuple[str, ...]
    is_strong: bool = False


def sum_rows(sheet: Sheet, currency: str, *, is_known: bool = True) -> tuple[tuple[str, ...], tuple[SumRow, ...]]:
    """The currencies of a statement, and what it comes to: cost, and where it has a mark-up that and both together.

    Without ``is_known`` a statement without any amount comes to "—".
    """
    amounts = sheet.amounts or (Amounts(currency or cells.DEFAULT_CURRENCY, *[Decimal(0)] * 4),)
    is_unknown = not sheet.amounts and (bool(sheet.unpriced) or not is_known)

    def row(label: str, exact: Exact, *, is_strong: bool = False) -> SumRow:
        shown = tuple(UNKNOWN if is_unknown else str(Money(each.currency, exact(each))) for each in amounts)
        return SumRow(label, shown, is_strong)

    rows = []
    if sheet.adjustments:
        rows.append(row(f"Usage in {name_of(sheet.month)}", lambda each: each.usage))
        rows.append(row("Adjustments to closed months", lambda each: each.adjustments))
    rows.append(row("Cost", lambda each: each.cost, is_strong=True))
    if sheet.percents:
        rates = {sheet.percent_of(line) for line in sheet.lines} or {sheet.markup_percent}
        rate = rates.pop() if len(rates) == 1 else None
        if rate is not None:
            rows.append(row(f"Mark-up {percent(rate)}", lambda each: each.markup))
        else:
            if sheet.markup_percent is not None:
                rows.append(row(f"Mark-up {percent(sheet.markup_percent)} on usage", lambda each: each.usage_markup))
            rows.append(row("Mark-up on adjustments, as billed", lambda each: each.adjustments_markup))
        rows.append(row("Total with mark-up", lambda each: each.total, is_strong=True))
    return tuple(each.currency.upper() for each in amounts), tuple(rows)


def rounding_shows(sheet: Sheet, *, shows_keys: bool) -> bool:
    """Whether anything that a statement shows, rounded to cents, misses the sum that it shows."""
    by_model = _grouped(sheet.usage, lambda line: line.model)
    by_key = _grouped(sheet.usage, _key)
    sums = [([group.totals for group in (by_key if shows_keys else by_model)], sheet.usage_totals)]
    if shows_keys:
        sums += [
            ([model.totals for model in _grouped(key.lines, lambda line: line.model)], key.totals) for key in by_key
        ]
    if any(_misses([part.costs for part in parts], whole.costs) for parts, whole in sums):
        return True
    carried = [_one(line.currency, line.cost) for line in sheet.adjustments]
    return _misses(carried, [Money(each.currency, each.adjustments) for each in sheet.amounts if carried]) or any(
        _is_off(each) or to_cents(each.usage_markup) + to_cents(each.adjustments_markup) != to_cents(each.markup)
        for each in sheet.amounts
    )


def _grouped(lines: Iterable[StatementLine], by: Callable[[StatementLine], Any]) -> list[_Group]:
    """Largest cost first, then most credits, then by name."""
    groups: dict[Any, list[StatementLine]] = defaultdict(list)
    for line in lines:
        groups[by(line)].append(line)
    return sorted(
        (_Group(tuple(group)) for group in groups.values()),
        key=lambda group: (
            -group.totals.sort_amount,
            -(group.totals.credits or 0),
            natural(group.first.key_name),
            natural(group.first.model_name),
        ),
    )


def _key(line: StatementLine) -> tuple[str, str, str]:
    return line.provider_name, line.key_name, line.key_hint


def _key_head(line: StatementLine, model: str) -> SafeString:
    return format_html(
        '{}{}<span class="sub">{}{}</span>',
        line.key_name,
        format_html(' <span class="muted small nowrap">··{}</span>', line.key_hint) if line.key_hint else "",
        format_html("{} · ", model) if model else "",
        line.provider_name,
    )


def _model_head(line: StatementLine) -> SafeString:
    return format_html(
        '<span class="statement__part"><span class="visually-hidden">of which </span>{}</span>', line.model_name
    )


def _figures(totals: Totals, currency: str) -> tuple[str, ...]:
    others = (metric.cell(totals, currency) for metric in (CREDITS, MINUTES, REQUESTS))
    return (*others, cells.money(totals, currency, reading=Reading.WHOLE))


def _one(currency: str, amount: Decimal | None) -> tuple[Money, ...]:
    return () if amount is None else (Money(currency, amount),)


def _money(line: StatementLine, amount: Decimal | None) -> str:
    return UNKNOWN if amount is None else str(Money(line.currency, amount))


def _markup(line: StatementLine) -> SafeString | str:
    if line.markup_percent is None:
        return "None"
    return format_html('{}<span class="sub">{}</span>', _money(line, line.markup), percent(line.markup_percent))


def _misses(parts: Iterable[Iterable[Money]], whole: Iterable[Money]) -> bool:
    shown: dict[str, Decimal] = defaultdict(Decimal)
    for part in parts:
        for money in part:
            shown[money.currency] += to_cents(money.amount)
    return any(shown[money.currency] != to_cents(money.amount) for money in whole)


# --- All statements of a month ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Part:
    """A column of amounts."""

    label: str
    exact: Exact


_USAGE = _Part("Usage", lambda each: each.usage)
_ADJUSTMENTS = _Part("Adjustments", lambda each: each.adjustments)
_COST = _Part("Cost", lambda each: each.cost)
_MARKUP = _Part("Mark-up", lambda each: each.markup)
_TOTAL = _Part("Total with mark-up", lambda each: each.total)


def companies_table(sheets: Sequence[Sheet], currency: str, heads: Sequence[str], *, caption: str) -> Table:
    """All statements of a month, ``heads`` naming their companies; adjustments and mark-ups where there are any."""
    columns = _columns(sheets, with_parts=any(sheet.adjustments for sheet in sheets))
    total = (
        _cell(sum_of(sheets), part, currency, unpriced=any(sheet.unpriced for sheet in sheets)) for part in columns
    )
    return Table(
        caption,
        (Column("Company", is_number=False), *(Column(part.label) for part in columns)),
        tuple(Row((head, *_cells(sheet, columns, currency))) for head, sheet in zip(heads, sheets, strict=True)),
        Row(("Total", *total)),
    )


def months_table(sheets: Sequence[Sheet], currency: str, heads: Sequence[tuple[str, str]], *, caption: str) -> Table:
    """The statements of one company, ``heads`` being month and status of each. Drafts and closed ones have no total."""
    columns = _columns(sheets, with_parts=False)
    return Table(
        caption,
        (
            Column("Month", is_number=False),
            Column("Status", is_number=False),
            *(Column(part.label) for part in columns),
        ),
        tuple(Row((*head, *_cells(sheet, columns, currency))) for head, sheet in zip(heads, sheets, strict=True)),
    )


def months_rounding_shows(sheets: Iterable[Sheet]) -> bool:
    """Whether a row of months_table(), rounded, misses its own total."""
    return any(
        to_cents(each.cost) + to_cents(each.markup) != to_cents(each.total)
        for sheet in sheets
        for each in sheet.amounts
    )


def companies_rounding_shows(sheets: Sequence[Sheet]) -> bool:
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


def _columns(sheets: Iterable[Sheet], *, with_parts: bool) -> tuple[_Part, ...]:
    after = (_MARKUP, _TOTAL) if any(sheet.percents for sheet in sheets) else ()
    return (*((_USAGE, _ADJUSTMENTS) if with_parts else ()), _COST, *after)


def _cells(sheet: Sheet, columns: Iterable[_Part], currency: str) -> Iterator[str]:
    for part in columns:
        if part is _MARKUP and not sheet.percents:
            yield "None"
        else:
            yield _cell(sheet.amounts, part, currency, unpriced=bool(sheet.unpriced))


def _cell(amounts: Sequence[Amounts], part: _Part, currency: str, *, unpriced: bool) -> SafeString:
    if unpriced and not amounts:
        return cells.explained(UNKNOWN, cells.UNPRICED)
    text = amounts_cell(_exact(amounts, part), currency)
    return cells.explained(text, cells.PARTLY_UNPRICED, mark="*") if unpriced and part is not _ADJUSTMENTS else text


def _exact(amounts: Iterable[Amounts], part: _Part) -> list[Money]:
    return [Money(each.currency, part.exact(each)) for each in amounts]


# --- As CSV -----------------------------------------------------------------------------------------------------------

COLUMNS = (
    "company",
    "statement",
    "status",
    "kind",
    "month",
    "provider",
    "project",
    "model",
    "credits",
    "minutes",
    "requests",
    "cost",
    "currency",
    "estimated",
    "markup_percent",
    "markup",
)
_OF_KEYS = frozenset({"provider", "project"})


def statement_csv(sheet: Sheet, *, shows_keys: bool) -> Iterator[str]:
    """The lines of a statement under COLUMNS, exact; ``month`` is the one that a line is about.

    Without ``shows_keys`` the columns that name providers and keys are left out, and usage is summed per model.
    """
    kept = [name for name in COLUMNS if shows_keys or name not in _OF_KEYS]
    yield csv_text([tuple(kept)])
    lines = list(sheet.lines) if shows_keys else [*_per_model(sheet), *sheet.adjustments]
    yield csv_text(tuple(_record(sheet, line)[name] for name in kept) for line in lines)


def _record(sheet: Sheet, line: StatementLine) -> dict[str, str]:
    rate = sheet.percent_of(line)
    return {
        "company": inert(sheet.company_name),
        "statement": f"{sheet.month:%Y-%m}",
        "status": "closed" if sheet.closed else "draft",
        "kind": line.kind,
        "month": f"{line.month:%Y-%m}",
        "provider": inert(line.provider_name),
        "project": inert(line.key_name),
        "model": inert(line.model),
        "credits": plain(line.credits),
        "minutes": plain(line.minutes),
        "requests": plain(line.requests),
        "cost": plain(line.cost),
        "currency": line.currency,
        "estimated": "true" if line.estimated else "false",
        "markup_percent": plain(rate),
        "markup": "" if rate is None or line.cost is None else plain(marked_up(line.cost, rate)),
    }


def _per_model(sheet: Sheet) -> list[StatementLine]:
    merged = []
    for group in _grouped(sheet.usage, lambda line: (line.model, line.currency)):
        sums = group.totals
        merged.append(
            StatementLine(
                kind=StatementLine.Kind.USAGE,
                month=group.first.month,
                model=group.first.model,
                credits=sums.credits,
                minutes=sums.minutes,
                requests=sums.requests,
                cost=sums.costs[0].amount if sums.costs else None,
                currency=group.first.currency,
                estimated=sums.estimated,
            )
        )
    return merged

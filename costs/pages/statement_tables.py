"""One statement as tables: what a client is shown.

Every amount is rounded to cents once, half-up, from its own exact value, totals as well; where the amounts of a column
then miss their total, the difference is a row of its own, so that what is printed adds up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from core.amounts import DEFAULT_CURRENCY
from core.cells import lines, with_hint
from core.csv_files import plain
from core.money import UNKNOWN, Money, to_cents
from core.months import name_of
from core.names import isolated
from core.sorting import natural
from core.tables import Column, Row, Table
from costs.models import StatementLine
from costs.pages import formatters
from costs.pages.usage_tables import OTHER_COLUMNS, others
from costs.pages.words import PageWords, words_for
from costs.reports.metrics import METRICS
from costs.reports.totals import NOTHING, Totals
from costs.statements.adjustments import CHANGED_SINCE
from costs.statements.contents import Amounts, StatementView, totals_of
from costs.usage.coverage import Reading
from providers.models import Company, Provider

ROUNDING = "Rounding"

Exact = Callable[[Amounts], Decimal]

_LINES = {
    Company.Lines.MODEL: "Model",
    Company.Lines.USE: "Use",
    Company.Lines.TOTAL: "Usage",
    Company.Lines.KEY: "API key",
}


def amount_word(sheet: StatementView) -> str:
    """What its amounts are."""
    return "Price" if sheet.is_priced else "Cost"


def percent(value: Decimal) -> str:
    """ "20 %", "12.5 %"."""
    return f"{plain(value)} %"


@dataclass(frozen=True)
class Group:
    """An API key with its models, or a model alone."""

    lines: tuple[StatementLine, ...]

    @property
    def first(self) -> StatementLine:
        return self.lines[0]

    @property
    def totals(self) -> Totals:
        return sum((totals_of(line) for line in self.lines), NOTHING)


def statement_words(sheets: Iterable[StatementView], providers: Iterable[Provider]) -> PageWords:
    """The words for those of ``providers`` whose usage is on the statements; of none of them those of all."""
    names = frozenset[str]().union(*(sheet.provider_names for sheet in sheets))
    found = [provider for provider in providers if provider.name in names]
    return words_for(found or providers)


def figures_on(sheet: StatementView, words: PageWords) -> list[str]:
    """The figures that a statement has columns for: those that its providers report, and any that it holds."""
    held = sheet.usage_totals
    return [slug for slug in METRICS if slug in words.metrics or (slug != "cost" and getattr(held, slug))]


def usage_table(sheet: StatementView, currency: str, *, shows_keys: bool, words: PageWords | None = None) -> Table:
    """The usage of a statement, largest first: by API key, and the models of each key that used several.

    Without ``shows_keys`` – of a client's copy – by model, or by what the copy calls one.
    """
    words = words or words_for()
    rows: list[Row] = []
    groups = grouped(sheet.usage, _key if shows_keys else _model)
    marks = _marks(groups)
    for group in groups:
        models = grouped(group.lines, _model)
        only = models[0].first.model_name if len(models) == 1 else ""
        head = (
            _key_head(group.first, marks[_key(group.first)], only)
            if shows_keys
            else formatters.named(group.first.model_name)
        )
        rows.append(Row((head, *_figures(group.totals, currency, words))))
        if not only:
            rows += [
                Row((_part_head(each.first.model_name), *_figures(each.totals, currency, words)), is_muted=True)
                for each in models
            ]
            rows += _rounding_rows(_part_head(ROUNDING), models, group.totals)
    rows += _rounding_rows(ROUNDING, groups, sheet.usage_totals)
    return Table(
        f"Usage of {sheet.company_name} in {name_of(sheet.month)}",
        (
            Column("API key and model" if shows_keys else _LINES[sheet.lines_by], is_number=False),
            *OTHER_COLUMNS,
            Column(amount_word(sheet)),
        ),
        tuple(rows),
        Row(("Usage", *_figures(sheet.usage_totals, currency, words))),
        says_rounding=False,  # rows of their own do
    ).with_figures(figures_on(sheet, words))


def adjustments_table(sheet: StatementView, words: PageWords | None = None) -> Table:
    """What earlier, closed months have come to cost more or less since."""
    adjustments = sheet.adjustments
    with_markup = bool(sheet.percents)
    costs = [totals_of(line) for line in adjustments]
    markups = [_markup(line) for line in adjustments]
    cost, markup = sum(costs, NOTHING), sum(markups, NOTHING)
    rounding = [(_missing(costs, cost), _missing(markups, markup) if with_markup else ())]
    return Table(
        "Adjustments to closed months",
        (
            Column("Month", is_number=False),
            Column("Reason", is_number=False),
            Column(amount_word(sheet)),
            *((Column("Mark-up"),) if with_markup else ()),
        ),
        (
            *(
                Row(
                    (
                        name_of(line.month),
                        line.reason or CHANGED_SINCE,
                        _money(totals, line.currency, words),
                        *((_markup_cell(line),) if with_markup else ()),
                    )
                )
                for line, totals in zip(adjustments, costs, strict=True)
            ),
            *(
                Row((ROUNDING, "", lines(of_cost), *((lines(of_markup),) if with_markup else ())))
                for of_cost, of_markup in rounding
                if of_cost or of_markup
            ),
        ),
        Row(("Adjustments", "", _money(cost, "", words), *((_money(markup, "", words),) if with_markup else ()))),
        says_rounding=False,
    )


def sums_table(sheet: StatementView, currency: str, *, is_known: bool = True, words: PageWords | None = None) -> Table:
    """What a statement comes to in each currency: cost, and where it has a mark-up that and both together.

    Without ``is_known`` a statement without any amount comes to "—".
    """
    nothing = Decimal(0)
    amounts = sheet.amounts or (Amounts(currency or DEFAULT_CURRENCY, nothing, nothing, nothing, nothing),)
    is_unknown = not sheet.amounts and (bool(sheet.unpriced) or not is_known)

    def row(label: str, exact: Exact, estimated: Callable[[Amounts], bool], *, is_strong: bool = False) -> Row:
        shown = (
            UNKNOWN if is_unknown else _sum_cell(each.currency, exact(each), words, estimated=estimated(each))
            for each in amounts
        )
        return Row((label, *shown), is_strong=is_strong)

    def rounding(parts: Sequence[Exact], whole: Exact) -> list[Row]:
        missing = [to_cents(whole(each)) - sum(to_cents(part(each)) for part in parts) for each in amounts]
        shown = (str(Money(each.currency, miss)) for each, miss in zip(amounts, missing, strict=True))
        return [Row((ROUNDING, *shown))] if any(missing) else []

    rows = []
    if sheet.adjustments:
        rows += [
            row(f"Usage in {name_of(sheet.month)}", lambda each: each.usage, lambda each: each.usage_estimated),
            row(
                "Adjustments to closed months",
                lambda each: each.adjustments,
                lambda each: each.adjustments_estimated,
            ),
            *rounding([lambda each: each.usage, lambda each: each.adjustments], lambda each: each.cost),
        ]
    whole = "Total" if sheet.is_priced else "Cost"
    rows.append(row(whole, lambda each: each.cost, lambda each: each.estimated, is_strong=True))
    if sheet.percents:
        markups = _markups(sheet)
        rows += [row(label, exact, lambda _each: False) for label, exact in markups]
        rows += rounding([lambda each: each.cost, *(exact for _label, exact in markups)], lambda each: each.total)
        rows.append(row("Total with mark-up", lambda each: each.total, lambda each: each.estimated, is_strong=True))
    return Table(
        "Total",
        (Column("", is_number=False), *(Column(each.currency.upper()) for each in amounts)),
        tuple(rows),
        is_plain=True,
        hides_head=len(amounts) == 1,
    )


def _markups(sheet: StatementView) -> list[tuple[str, Exact]]:
    """The rows of mark-up: one where all lines have the same rate."""
    rates = {sheet.percent_of(line) for line in sheet.lines} or {sheet.markup_percent}
    rate = rates.pop() if len(rates) == 1 else None
    if rate is not None:
        return [(f"Mark-up {percent(rate)}", lambda each: each.markup)]
    on_adjustments: tuple[str, Exact] = ("Mark-up on adjustments, as billed", lambda each: each.adjustments_markup)
    if sheet.markup_percent is None:
        return [on_adjustments]
    return [(f"Mark-up {percent(sheet.markup_percent)} on usage", lambda each: each.usage_markup), on_adjustments]


def _sum_cell(currency: str, amount: Decimal, words: PageWords | None, *, estimated: bool) -> str:
    text = str(Money(currency, to_cents(amount)))
    return with_hint(text, (words or words_for()).estimated, label="Estimated") if estimated else text


def grouped(lines: Iterable[StatementLine], by: Callable[[StatementLine], Any]) -> list[Group]:
    """Largest cost first, then most credits, then by name."""
    groups: dict[Any, list[StatementLine]] = defaultdict(list)
    for line in lines:
        groups[by(line)].append(line)
    return sorted(
        (Group(tuple(group)) for group in groups.values()),
        key=lambda group: (
            -group.totals.sort_amount,
            -(group.totals.credits or 0),
            natural(group.first.key_name),
            natural(group.first.model_name),
        ),
    )


def _model(line: StatementLine) -> str:
    return line.model


def _key(line: StatementLine) -> tuple[str, str, str, str]:
    return (*_shown_as(line), line.key_id)


def _shown_as(line: StatementLine) -> tuple[str, str, str]:
    return line.provider_name, line.key_name, line.key_hint


def _marks(keys: Iterable[Group]) -> dict[tuple[str, str, str, str], str]:
    """The text after each key's name: its hint or, where several would look the same, the end of its id."""
    alike = Counter(_shown_as(key.first) for key in keys)
    return {
        _key(key.first): key.first.key_id[-8:] if alike[_shown_as(key.first)] > 1 else key.first.key_hint
        for key in keys
    }


def _key_head(line: StatementLine, mark: str, model: str) -> SafeString:
    return format_html(
        '{}{}<span class="sub">{}{}</span>',
        isolated(line.key_name),
        format_html(' <span class="muted small nowrap">··{}</span>', mark) if mark else "",
        format_html("{} · ", isolated(model)) if model else "",
        isolated(line.provider_name),
    )


def _part_head(name: str) -> SafeString:
    of_which = mark_safe('<span class="visually-hidden">of which </span>')
    return format_html('<span class="statement__part">{}{}</span>', of_which, isolated(name))


def _figures(totals: Totals, currency: str, words: PageWords) -> tuple[str, ...]:
    return (*others(totals, Reading.WHOLE, words), _money(totals, currency, words))


def _money(totals: Totals, currency: str, words: PageWords | None = None) -> str:
    return formatters.money(totals, currency, in_cents=True, words=words)


def _rounding_rows(head: str, parts: Iterable[Group], whole: Totals) -> list[Row]:
    missing = _missing((part.totals for part in parts), whole)
    return [Row((head, *("" for _ in OTHER_COLUMNS), lines(missing)), is_muted=True)] if missing else []


def _missing(parts: Iterable[Totals], whole: Totals) -> tuple[Money, ...]:
    """By how much the parts, rounded to cents, miss the whole."""
    missing = {money.currency: to_cents(money.amount) for money in whole.costs}
    for part in parts:
        for money in part.costs:
            missing[money.currency] -= to_cents(money.amount)
    return tuple(Money(currency, amount) for currency, amount in missing.items() if amount)


def _markup(line: StatementLine) -> Totals:
    return Totals(costs=(Money(line.currency, line.markup),))


def _markup_cell(line: StatementLine) -> SafeString | str:
    if line.markup_percent is None:
        return "None"
    return format_html(
        '{}<span class="sub">{}</span>', Money(line.currency, to_cents(line.markup)), percent(line.markup_percent)
    )

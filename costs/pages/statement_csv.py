"""One statement as CSV: a record per line in cents, which add up to what the statement comes to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from decimal import Decimal

from core.csv_files import csv_text, escape_formula, plain
from core.money import to_cents
from costs.models import COUNTED, StatementLine, marked_up
from costs.pages.statement_tables import grouped
from costs.reports.metrics import METRICS
from costs.statements.contents import StatementView, figures_of

COLUMNS = (
    "company",
    "statement",
    "status",
    "kind",
    "month",
    "provider",
    "project_id",
    "project",
    "model",
    *COUNTED,
    "cost",
    "currency",
    "estimated",
    "markup_percent",
    "markup",
    "reason",
)
_OF_KEYS = frozenset({"provider", "project_id", "project"})
_OF_MARKUPS = frozenset({"markup_percent", "markup"})
_ROUNDING = "rounding"

Written = Callable[[Decimal | None], str]


def statement_csv(
    sheet: StatementView, *, shows_keys: bool, figures: Collection[str] = tuple(METRICS)
) -> Iterator[str]:
    """The lines of a statement under COLUMNS, in cents; ``month`` is the one that a line is about.

    Where the costs as written miss the statement's cost, or costs and mark-ups its total, a record of kind "rounding"
    holds the difference. Without ``shows_keys`` the columns that name providers and keys are left out, and usage is
    summed per model. Of credits, minutes and requests those that ``figures`` lacks have no column. A priced copy has
    prices in place of costs, and no mark-up.
    """
    left_out = {
        *(METRICS.keys() - {"cost", *figures}),
        *(() if shows_keys else _OF_KEYS),
        *(_OF_MARKUPS if sheet.is_priced else ()),
    }
    kept = [name for name in COLUMNS if name not in left_out]
    yield csv_text([tuple("price" if sheet.is_priced and name == "cost" else name for name in kept)])
    lines = list(sheet.lines) if shows_keys else [*_per_model(sheet), *sheet.adjustments]
    records = [*(_record(sheet, line, in_cents) for line in lines), *_rounding(sheet, lines)]
    yield csv_text(tuple(record.get(name, "") for name in kept) for record in records)


def statement_lines_csv(sheet: StatementView) -> str:
    """The lines as they were frozen, exact, without the heading."""
    return csv_text(tuple(_record(sheet, line, plain)[name] for name in COLUMNS) for line in sheet.lines)


def in_cents(amount: Decimal | None) -> str:
    """ "1.50"; empty when unknown."""
    return "" if amount is None else f"{to_cents(amount):f}"


def _record(sheet: StatementView, line: StatementLine, written: Written) -> dict[str, str]:
    return _about(sheet, line.kind) | {
        "month": f"{line.month:%Y-%m}",
        "provider": escape_formula(line.provider_name),
        "project_id": escape_formula(line.key_id),
        "project": escape_formula(line.key_name),
        "model": escape_formula(line.model),
        **{name: plain(value) for name, value in figures_of(line).items()},
        "cost": written(line.cost),
        "currency": line.currency,
        "estimated": "true" if line.estimated else "false",
        "markup_percent": plain(sheet.percent_of(line)),
        "markup": written(_markup(sheet, line)),
        "reason": escape_formula(line.reason),
    }


def _about(sheet: StatementView, kind: str) -> dict[str, str]:
    return {
        "company": escape_formula(sheet.company_name),
        "statement": f"{sheet.month:%Y-%m}",
        "status": "closed" if sheet.closed else "draft",
        "kind": kind,
    }


def _markup(sheet: StatementView, line: StatementLine) -> Decimal | None:
    rate = sheet.percent_of(line)
    return None if rate is None or line.cost is None else marked_up(line.cost, rate)


def _rounding(sheet: StatementView, lines: list[StatementLine]) -> Iterator[dict[str, str]]:
    for amounts in sheet.amounts:
        of_currency = [line for line in lines if line.currency == amounts.currency]
        cost = to_cents(amounts.cost) - sum(to_cents(line.cost or Decimal(0)) for line in of_currency)
        markup = (
            to_cents(amounts.total)
            - to_cents(amounts.cost)
            - sum(to_cents(_markup(sheet, line) or Decimal(0)) for line in of_currency)
        )
        if cost or markup:
            yield _about(sheet, _ROUNDING) | {
                "month": f"{sheet.month:%Y-%m}",
                "cost": in_cents(cost),
                "currency": amounts.currency,
                "estimated": "false",
                "markup": in_cents(markup),
            }


def _per_model(sheet: StatementView) -> list[StatementLine]:
    merged = []
    for group in grouped(sheet.usage, lambda line: (line.model, line.currency)):
        sums = group.totals
        merged.append(
            StatementLine(
                kind=StatementLine.Kind.USAGE,
                month=group.first.month,
                model=group.first.model,
                **figures_of(sums),
                cost=sums.costs[0].amount if sums.costs else None,
                currency=group.first.currency,
                estimated=sums.estimated,
            )
        )
    return merged

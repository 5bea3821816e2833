"""A statement as its client receives it: no other client and, as chosen, no cost; API keys only where that was chosen.

Who works for the agency is shown the statement itself. The PDF, and whatever a Company viewer or a token for chosen
companies is answered, is made of this copy.
"""

from __future__ import annotations

from dataclasses import replace

from costs.models import StatementLine
from costs.statements.contents import StatementView, figures_of
from providers.models import Company

OTHER_USE = "Other usage"
ALL_USAGE = "All usage"


def client_copy(sheet: StatementView, *, price_only: bool | None = None) -> StatementView:
    """The lines by what the company chose; where ``price_only`` each cost with its mark-up, which is then not told.

    Without being told it goes by what the statement shows – of a closed one as it was frozen. An amount is the exact
    price, so that rounding it once is rounding what is billed.
    """
    if price_only is None:
        price_only = sheet.amounts_shown == Company.Amounts.PRICE
    return replace(
        sheet,
        lines=tuple(_line(sheet, line, price_only=price_only) for line in sheet.lines),
        markup_percent=None if price_only else sheet.markup_percent,
        is_priced=price_only,
    )


def readers_copy(sheet: StatementView) -> StatementView:
    """For people and programs that know of the company alone: once it is "price only", so are its earlier months."""
    return client_copy(sheet, price_only=sheet.company.is_price_only or sheet.amounts_shown == Company.Amounts.PRICE)


def _line(sheet: StatementView, line: StatementLine, *, price_only: bool) -> StatementLine:
    is_usage = line.kind == StatementLine.Kind.USAGE
    model, model_name = line.model, line.model_name
    if is_usage and sheet.lines_by != Company.Lines.MODEL:
        model = model_name = _subject(sheet.lines_by, line)
    cost = line.cost
    if price_only and cost is not None:
        cost += sheet.markup_of(line)
    return StatementLine(
        kind=line.kind,
        month=line.month,
        model=model,
        model_name=model_name,
        **figures_of(line),
        cost=cost,
        currency=line.currency,
        estimated=line.estimated,
        unpriced=line.unpriced,
        untold=line.untold,
        markup_percent=None if price_only else line.markup_percent,
        reason=line.client_reason or line.reason,
    )


def _subject(lines_by: Company.Lines, line: StatementLine) -> str:
    """What a line that is not by model stands for."""
    match lines_by:
        case Company.Lines.TOTAL:
            return ALL_USAGE
        case Company.Lines.KEY:
            ending = f" ··{line.key_hint}" if line.key_hint else ""
            return f"{line.key_name or OTHER_USE}{ending} ({line.provider_name})"
    return line.use or OTHER_USE

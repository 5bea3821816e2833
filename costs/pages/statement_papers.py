"""Statements as clients receive them, ready to be drawn: as a page for their own readers, and as PDF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from core.months import name_of
from core.wording import joined
from costs.pages.notices import simulated_only
from costs.pages.statement_tables import figures_on, statement_words
from costs.pages.words import PageWords
from costs.reports.metrics import METRICS
from costs.statements.client_copy import client_copy
from costs.statements.contents import StatementView
from costs.statements.reports import CompanyMonth, MonthReport
from providers.models import Provider


@dataclass(frozen=True)
class Paper:
    sheet: StatementView
    currency: str  # of a zero
    words: PageWords
    is_known: bool = True  # a zero would be true
    is_simulated: bool = False  # some of the usage was made up
    unread: bool = False  # of a draft: some of its days
    closing_began: date | None = None  # of a month before it

    @property
    def is_draft(self) -> bool:
        return self.sheet.closed is None and self.closing_began is None

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(_notes(self))


def paper_of(report: CompanyMonth, providers: Sequence[Provider], sheet: StatementView | None = None) -> Paper:
    """One company's month: its client's copy, or ``sheet`` in place of that; ``providers`` are all of them."""
    return Paper(
        sheet=sheet or client_copy(report.sheet),
        currency=report.currency,
        words=statement_words([report.sheet], providers),
        is_known=report.is_known,
        is_simulated=_is_simulated(report.sheet, providers),
        unread=report.unread,
        closing_began=report.closing_began,
    )


def papers_of(report: MonthReport, providers: Sequence[Provider], *, closing_began: date | None = None) -> list[Paper]:
    """The client's copies of a month, by company name; of one before the first that was closed, which that was."""
    return [
        Paper(
            sheet=client_copy(sheet),
            currency=report.currency,
            words=statement_words([sheet], providers),
            is_simulated=_is_simulated(sheet, providers),
            unread=not sheet.closed and any(coverage.unread for coverage in report.coverages.values()),
            closing_began=closing_began,
        )
        for sheet in report.sheets
        if sheet.lines or sheet.waiting
    ]


def _is_simulated(sheet: StatementView, providers: Iterable[Provider]) -> bool:
    simulated = {provider.name for provider in simulated_only(providers)}
    return not simulated.isdisjoint(sheet.provider_names)


def _notes(paper: Paper) -> Iterator[str]:
    """What must be known of the figures, in the order of its weight."""
    sheet, words, name = paper.sheet, paper.words, name_of(paper.sheet.month)
    if paper.closing_began:
        yield (
            f"{name} was never closed: closing began with {name_of(paper.closing_began)}. These are its figures as "
            "they stand now."
        )
    elif paper.is_draft:
        yield f"This is a draft. Its figures still change until {name} is closed."
    if sheet.adjustments:
        yield (
            "An adjustment is what the usage of an earlier month costs more or less than its statement said: it was "
            "restated, priced late, belongs to another company since, or the rate of an estimate has changed."
        )
    if sheet.unpriced:
        carries = "price" if sheet.is_priced else "cost"
        yield (
            "Some usage has no price yet and is not in the total. Once it is priced, a later statement carries its "
            f"{carries}. Amounts marked * leave it out."
        )
    for month in sheet.waiting:
        yield (
            f"Usage of {name_of(month)} that was billed has no price any more. Nothing is credited for it until it is "
            "priced again."
        )
    untold = sheet.usage_totals.untold
    if any(getattr(sheet.usage_totals, figure) is not None for figure in untold):
        labels = [METRICS[slug].label.lower() for slug in figures_on(sheet, words) if slug != "cost"]
        yield f"{joined(labels).capitalize()} marked * leave out usage for which {words.name} does not report them."
    if any(line.estimated for line in sheet.lines):
        because = "" if sheet.is_priced else f", because {words.name} reports no cost for them"
        yield f"Amounts marked “Estimated” come from credits at a set rate{because}."
    yield (
        "Each amount is rounded to cents from its own exact value. Where those shown miss a sum, “Rounding” is the "
        "difference."
    )
    yield f"{'' if sheet.is_priced else f'Costs are what {words.name} charges for the usage. '}All days are UTC."

"""The restatement log, what changed of days that had settled: as a page's table and as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from core.cells import Cell
from core.csv_files import escape_formula, plain
from core.days import DateRange
from core.listings import ListColumn, Listing
from core.money import SYMBOLS, UNKNOWN
from core.tables import Column, Table
from core.wording import moment
from costs.models import Restatement
from costs.pages import formatters
from costs.pages.words import PageWords
from providers.models import Project, SyncRun

TRIGGERS = {
    SyncRun.Trigger.CONNECT: "by the initial sync",
    SyncRun.Trigger.HOURLY: "by an hourly sync",
    SyncRun.Trigger.NIGHTLY: "by a nightly sync",
    SyncRun.Trigger.MANUAL: "by a sync that was asked for",
}
_FIGURES = tuple(
    f"{figure}_{when}"
    for figure in ("credits", "minutes", "requests", "cost", "currency")
    for when in ("before", "after")
)
FILE_COLUMNS = ("restated_at", "run", "date", "provider", "project_id", "project", "model", *_FIGURES)


def restatement_table(
    restatements: Iterable[Restatement], models: Mapping[str, str], *, caption: str, words: PageWords, **kwargs: Any
) -> Table:
    """``models`` are the names of models by id; ``kwargs`` are further ones of Table."""
    return _listing(models, words).table(caption, restatements, is_dense=True, **kwargs)


def restatements_csv(restatements: QuerySet[Restatement]) -> Iterator[str]:
    """The restatement log under FILE_COLUMNS, in chunks and in the order in which it happened.

    A row holds the figures of a settled day before and after a change, and the moment of the change (UTC). ``run`` is
    the id of the sync run, empty where that is no longer kept.
    """
    rows = restatements.select_related("project__provider").order_by("restated_at", "pk")
    yield from _listing({}, None).csv(rows.iterator(chunk_size=2000))


def _listing(models: Mapping[str, str], words: PageWords | None) -> Listing[Restatement]:
    return Listing(
        (
            ListColumn(
                Column("Day", is_number=False),
                lambda restated: formatters.marked_days(DateRange(restated.day, restated.day), is_provisional=False),
                {"date": lambda restated: restated.day.isoformat()},
            ),
            ListColumn(
                Column("API key", is_number=False),
                lambda restated: formatters.project(restated.project, words=words),
                {
                    "provider": lambda restated: escape_formula(restated.project.provider.name),
                    "project_id": lambda restated: _external_id(restated.project),
                    "project": lambda restated: escape_formula(restated.project.display_name),
                },
            ),
            ListColumn(
                Column("Model", is_number=False),
                lambda restated: models.get(restated.model) or restated.model,
                {"model": lambda restated: escape_formula(restated.model)},
            ),
            ListColumn(
                Column("Old → new", is_number=False), changes, {name: partial(_figure, name) for name in _FIGURES}
            ),
            ListColumn(
                Column("Noticed (UTC)", is_number=False),
                _noticed,
                {
                    "restated_at": lambda restated: restated.restated_at.isoformat(timespec="seconds"),
                    "run": lambda restated: "" if restated.run_id is None else str(restated.run_id),
                },
            ),
        ),
        FILE_COLUMNS,
    )


def _external_id(project: Project) -> str:
    return "" if project.kind == Project.Kind.KEYLESS else escape_formula(project.external_id)


def _figure(name: str, restated: Restatement) -> str:
    value = getattr(restated, name)
    return value if isinstance(value, str) else plain(value)


def _noticed(restated: Restatement) -> Cell:
    """When, and by which sync – unless that has been deleted."""
    run = restated.run
    html = format_html(
        '<span class="nowrap">{}</span><span class="sub nowrap">{}</span>',
        moment(restated.restated_at),
        TRIGGERS[SyncRun.Trigger(run.trigger)] if run else "",
    )
    return Cell(html, restated.restated_at.isoformat(timespec="seconds"))


def changes(restated: Restatement) -> Cell:
    """A line for each figure that is not what it was: "Cost $1.2 → $1.25", to the last digit."""
    changed = [
        (label, before, after)
        for label, before, after in (
            (
                "Cost",
                _cost(restated.cost_before, restated.currency_before),
                _cost(restated.cost_after, restated.currency_after),
            ),
            ("Credits", exact(restated.credits_before), exact(restated.credits_after)),
            ("Minutes", exact(restated.minutes_before), exact(restated.minutes_after)),
            ("Requests", exact(restated.requests_before), exact(restated.requests_after)),
        )
        if before != after
    ]
    html = format_html_join(mark_safe("<br>"), '<span class="nowrap">{} {} → {}</span>', changed)
    return Cell(html, "; ".join(f"{label} {before} → {after}" for label, before, after in changed))


def exact(value: Decimal | int | None) -> str:
    """Every digit that is stored, with thousands separators; "—" when unknown."""
    if value is None:
        return UNKNOWN
    text = f"{Decimal(value):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _cost(value: Decimal | None, currency: str) -> str:
    return UNKNOWN if value is None else f"{SYMBOLS.get(currency, f'{currency.upper()} ')}{exact(value)}"

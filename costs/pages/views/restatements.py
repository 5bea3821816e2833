"""What changed of days that had settled: the latest on a provider's page, and a page with all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from core.cells import Cell
from core.money import SYMBOLS, UNKNOWN
from core.paging import CountedRows, Page, paginate
from core.table_csv import PARAMETER, csv_url
from core.tables import Column, Row, Table
from core.wording import moment
from costs.exports.usage import restatements_csv
from costs.models import Restatement
from costs.pages import formatters
from costs.pages.ranges import read_range
from costs.pages.views.downloads import download
from costs.pages.words import PageWords, words_for
from costs.reports import breakdowns
from providers.models import Provider, SyncRun

TRIGGERS = {
    SyncRun.Trigger.CONNECT: "by the initial sync",
    SyncRun.Trigger.HOURLY: "by an hourly sync",
    SyncRun.Trigger.NIGHTLY: "by a nightly sync",
    SyncRun.Trigger.MANUAL: "by a sync that was asked for",
}
COLUMNS = (
    Column("Day", is_number=False),
    Column("API key", is_number=False),
    Column("Model", is_number=False),
    Column("Old → new", is_number=False),
    Column("Noticed (UTC)", is_number=False),
)


@require_safe
def provider_restatements(request: HttpRequest, pk: int) -> HttpResponseBase:
    """All of them, of the range's days; newest first, in pages."""
    today = timezone.now().date()
    provider = get_object_or_404(Provider, pk=pk)
    chosen = read_range(request, today=today)
    of_range = breakdowns.restatements(provider).filter(day__gte=chosen.range.first, day__lte=chosen.range.last)
    if request.GET.get(PARAMETER) == "restatements" and not chosen.error:
        return download(restatements_csv(of_range), name=[provider.name, "restatements"], days=chosen.range)
    page = paginate(request, CountedRows(of_range), of="restatements")
    context = {
        "provider": provider,
        "words": words_for([provider]),
        "chosen": chosen,
        "table": restatement_table(
            page.items,
            breakdowns.model_labels([provider]),
            caption=f"Restatements of {provider.name}, {chosen.range}",
            words=words_for([provider]),
            csv_url=csv_url(request, "restatements"),
            page=page,
        ),
    }
    return render(request, "providers/restatements.html", context, status=chosen.status)


def restatement_table(
    restatements: Iterable[Restatement],
    models: Mapping[str, str],
    *,
    caption: str,
    words: PageWords,
    csv_url: str = "",
    page: Page | None = None,
) -> Table:
    return Table(
        caption,
        COLUMNS,
        tuple(
            Row(
                (
                    formatters.marked_day(restated.day, is_provisional=False),
                    formatters.project(restated.project, words=words),
                    models.get(restated.model) or restated.model,
                    changes(restated),
                    _noticed(restated),
                )
            )
            for restated in restatements
        ),
        is_dense=True,
        csv_url=csv_url,
        page=page,
    )


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

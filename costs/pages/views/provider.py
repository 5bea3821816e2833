"""The page of one provider: its state, its subscription, its API keys, its usage, its restatements, its syncs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.days import EARLIEST_DAY, DateRange
from core.querystate import choices
from core.table_csv import asked_table, csv_url, table_csv
from core.tables import Table
from core.wording import ago, clock
from costs.pages import formatters
from costs.pages.charts import daily_chart
from costs.pages.key_cells import assigning_context
from costs.pages.marks import marks_of
from costs.pages.notices import unread_notice
from costs.pages.provider_keys import KeyTable, key_table
from costs.pages.ranges import RangeChoice, read_range
from costs.pages.reconciliation_words import explanation, summary
from costs.pages.restatements import restatement_table
from costs.pages.subscription import read_plan
from costs.pages.syncs import SyncState, history_table
from costs.pages.usage_tables import usage_table
from costs.pages.views.downloads import download
from costs.pages.views.estimates import rate_text
from costs.pages.views.scope import read_step
from costs.pages.words import PageWords, words_for
from costs.reports.provider import ProviderReport, provider_report
from costs.usage.coverage import Reading
from providers.models import Provider
from providers.progress import region_label, type_label
from providers.registry import words_of
from providers.wording import how_agents_are_divided

# Their rows are the latest, whatever the range.
OF_ANY_DAY = frozenset({"restatements", "syncs"})


@require_safe
def provider_detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    now = timezone.now()
    provider = get_object_or_404(Provider, pk=pk)
    chosen = read_range(request, today=now.date())
    words = words_for([provider])
    metric_slug, metrics = choices(request, "metric", {slug: each.label for slug, each in words.metrics.items()})
    metric = words.metrics[metric_slug]
    report = provider_report(provider, chosen.range, metric=metric, now=now, step=read_step(request))
    title = f"{metric.label} per {report.daily.step.value} by model"
    chart = daily_chart(request, report.daily, title=title, words=words, marks=marks_of(provider, chosen.range))
    keys = key_table(request, report, chosen.range, now, words, chosen.query)
    tables = {"days": chart.table, "keys": keys.table, **_tables(request, report, chosen, words)}
    if not chosen.error and (asked := asked_table(request, tables)):
        slug, table = asked
        about = {"days": [metric_slug], "keys": [keys.shown] if keys.is_filtered else []}.get(slug, [])
        days = None if slug in OF_ANY_DAY else chosen.range
        return download(table_csv(table), name=[provider.name, *about, slug], days=days)
    context = {
        **_about(request, report, now, words),
        **_assigning(request, report, keys),
        "chosen": chosen,
        "nothing_read": report.coverage.reading is Reading.NONE,
        "metric": metric,
        "metrics": metrics,
        "chart": chart,
        "tables": tables,
        "has_usage": report.has_usage,
        "is_free": report.is_free,
        "has_restatements": bool(report.restatements),
        "every_day": DateRange(EARLIEST_DAY, report.today).query,
        "has_history": bool(report.runs),
    }
    return render(request, "providers/detail.html", context, status=chosen.status)


def _tables(request: HttpRequest, report: ProviderReport, chosen: RangeChoice, words: PageWords) -> dict[str, Table]:
    """Those that need nothing but the figures."""
    query = chosen.with_query(provider=str(report.provider.pk))
    return {
        "models": usage_table(
            report.models,
            [formatters.model(line.subject, line.label, query) for line in report.models.lines],
            caption="Usage by model",
            subject="Model",
            currency=report.currency,
            coverage=report.coverage,
            csv_url=csv_url(request, "models"),
            words=words,
        ),
        "restatements": restatement_table(
            report.restatements,
            report.model_names,
            caption="The latest restatements",
            words=words,
            csv_url=csv_url(request, "restatements"),
        ),
        "syncs": history_table(report.runs, csv_url=csv_url(request, "syncs")),
    }


def _about(request: HttpRequest, report: ProviderReport, now: datetime, words: PageWords) -> dict[str, Any]:
    """What the page says of the provider itself, above its figures."""
    provider, found = report.provider, report.reconciliation
    sync = SyncState(provider, report.runs, report.unassigned_keys, report.unassigned_agents, report.totals_wait)
    return {
        "provider": provider,
        "words": words,
        "type_label": type_label(provider.type),
        "region_label": region_label(provider.type, provider.region),
        "status": _status(provider, now, sync),
        "synced": _synced(provider, now, sync),
        "account_read": _account_read(provider, now),
        "unread": unread_notice([provider], {provider.pk: report.coverage}, user=request.user, today=report.today),
        "plan": read_plan(provider.subscription, words),
        "spend": formatters.money(report.models.total, report.currency, reading=report.coverage.reading, words=words),
        "reconciliation": found,
        "reconciled": summary(found, words) if found else "",
        "explained": explanation(found, words) if found else "",
        "resync_query": urlencode({"from": report.period.first, "to": report.period.last}) if report.period else "",
        "rate": rate_text(provider),
        "offers_credit_rate": report.may_estimate and (provider.credit_rate is not None or "credits" in words.metrics),
        "sync_url": reverse("providers:sync", args=[provider.pk]),
        "sync": sync,
    }


def _assigning(request: HttpRequest, report: ProviderReport, keys: KeyTable) -> dict[str, Any]:
    """The keys, and what the bulk bar below them needs."""
    return {
        "keys": keys,
        "has_keys": bool(report.keys),
        "has_agents": report.has_agents,
        "agents_found": how_agents_are_divided(
            report.provider, words_of(report.provider.type), has_agents=report.has_agents
        ),
        **assigning_context(request, report.current_companies, report.today, report.provider),
    }


def _status(provider: Provider, now: datetime, sync: SyncState) -> Provider.Status:
    """Connected and with a run that has not ended is syncing, whether or not a worker has taken it up yet."""
    status = provider.status(now)
    return Provider.Status.SYNCING if sync.run and status == Provider.Status.CONNECTED else status


def _synced(provider: Provider, now: datetime, sync: SyncState) -> str:
    """ "Last synced 12 min ago · next about 15:00 UTC"."""
    if sync.run and provider.last_synced_at is None:
        return "First sync in progress"
    last = f"Last synced {ago(provider.last_synced_at, now)}" if provider.last_synced_at else "Not synced yet"
    if provider.disconnected_at is not None:
        return f"{last} · disconnected on {formatters.day(provider.disconnected_at.date())}"
    if provider.paused_at is not None or provider.next_due_at is None:
        return last
    return f"{last} · next about {clock(max(provider.next_due_at, now))}"


def _account_read(provider: Provider, now: datetime) -> str:
    """ "Plan and API keys read 9 hours ago", where usage is newer or reading them has failed; else empty.

    The hour reads usage alone: a plan's figures and a key's badge may be a day old.
    """
    read_at = provider.account_read_at
    if read_at is None or (not provider.account_failure and now - read_at < timedelta(hours=1)):
        return ""
    failed = "; reading them again has failed" if provider.account_failure else ""
    return f"Plan and API keys read {ago(read_at, now)}{failed}"

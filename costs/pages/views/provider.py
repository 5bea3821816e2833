"""The page of one provider: its state, its subscription, its API keys, its usage, its restatements, its syncs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
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
from core.wording import ago, clock
from costs.pages import formatters
from costs.pages.charts import stacked_by_day
from costs.pages.ranges import read_range
from costs.pages.usage_tables import usage_table
from costs.pages.views.downloads import download
from costs.pages.views.estimates import rate_text
from costs.pages.views.notices import unread_notice
from costs.pages.views.provider_keys import key_rows, key_table
from costs.pages.views.restatements import LATEST, restatement_table
from costs.pages.views.subscription import read_plan
from costs.pages.views.syncs import history_row, history_table, sync_state
from costs.pages.words import words_for
from costs.reports import breakdowns
from costs.reports.days import mark_days
from costs.reports.reconciliation import reconcile, running_period
from costs.reports.totals import all_usage, main_currency, totals_by, usage_by_key
from costs.usage.coverage import Reading, coverage_of_ranges
from costs.usage.estimates import reports_cost
from providers.models import Company, Project, Provider
from providers.progress import region_label, type_label

# Of more companies than this the rows of the key table offer no choice of their own; the bulk bar does.
ROW_SELECT_LIMIT = 60
HISTORY_LENGTH = 20


@require_safe
def provider_detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    now = timezone.now()
    today = now.date()
    provider = get_object_or_404(Provider, pk=pk)
    chosen = read_range(request, today=today)
    period = running_period(provider)
    ranges = [chosen.range, *([period.days] if period else [])]
    coverage, *of_period = (known[provider.pk] for known in coverage_of_ranges([provider], ranges, today=today))
    model_query = chosen.with_query(provider=str(provider.pk))
    usage = all_usage().for_provider(provider).between(chosen.range.first, chosen.range.last)
    runs = list(provider.runs.all()[:HISTORY_LENGTH])

    by_model = {model: sums for (model,), sums in totals_by(usage, "model").items()}
    names = breakdowns.model_labels([provider])
    models = breakdowns.breakdown_of(by_model, names)
    currency = main_currency(models.total, [provider])
    words = words_for([provider])
    metrics = words.metrics
    metric_slug, metric_choices = choices(request, "metric", {slug: metric.label for slug, metric in metrics.items()})

    every_company = {company.pk: company for company in Company.objects.all()}
    companies = [company for company in every_company.values() if company.archived_at is None]
    by_key = usage_by_key().for_provider(provider).between(chosen.range.first, chosen.range.last)
    rows = key_rows(provider, by_key, every_company, currency, coverage, now)
    unassigned = sum(1 for row in rows if row.is_present_key and not row.payers)
    totals_wait = any(row.project.kind == Project.Kind.ACCOUNT and not row.payers for row in rows)
    restatements = list(breakdowns.restatements(provider)[:LATEST])
    history = [history_row(run) for run in runs]
    series = breakdowns.stacked(
        usage, "model", by_model, names, weigh=partial(metrics[metric_slug].value, currency=currency)
    )
    chart = stacked_by_day(
        title=f"{metrics[metric_slug].label} per day by model",
        days=mark_days(breakdowns.days_of(series), chosen.range, coverage),
        series=series,
        metric=metrics[metric_slug],
        currency=currency,
        csv_url=csv_url(request, "days"),
        words=words,
    )
    keys = key_table(request, rows, currency, coverage, words)
    tables = {
        "days": chart.table,
        "keys": keys["key_csv"],
        "models": usage_table(
            models,
            [formatters.model(line.subject, line.label, model_query) for line in models.lines],
            caption="Usage by model",
            subject="Model",
            currency=currency,
            coverage=coverage,
            csv_url=csv_url(request, "models"),
            words=words,
        ),
        "restatements": restatement_table(
            restatements, names, caption="The latest restatements", csv_url=csv_url(request, "restatements")
        ),
        "syncs": history_table(history, csv_url=csv_url(request, "syncs")),
    }
    if not chosen.error and (asked := asked_table(request, tables)):
        slug, table = asked
        about = [metric_slug] if slug == "days" else [keys["shown"]] if slug == "keys" and keys["is_filtered"] else []
        days = None if slug in {"restatements", "syncs"} else chosen.range  # the latest, whatever the range
        return download(table_csv(table), name=[provider.name, *about, slug], days=days)
    state = sync_state(provider, runs, unassigned, totals_wait=totals_wait)
    context = {
        "provider": provider,
        "words": words,
        "type_label": type_label(provider.type),
        "region_label": region_label(provider.type, provider.region),
        "status": _status(provider, now, state),
        "synced": _synced(provider, now, state),
        "chosen": chosen,
        "nothing_read": coverage.reading is Reading.NONE,
        "unread": unread_notice([provider], {provider.pk: coverage}, user=request.user, today=today),
        "plan": read_plan(provider.subscription),
        "reconciliation": reconcile(provider=provider, period=period, coverage=of_period[0]) if period else None,
        "resync_query": urlencode({"from": period.days.first, "to": period.days.last}) if period else "",
        "rate": rate_text(provider),
        "metric": metrics[metric_slug],
        "metrics": metric_choices,
        "tables": tables,
        "has_usage": any(not line.totals.is_idle for line in models.lines),
        "is_free": bool(models.lines) and not models.total.sort_amount and not models.total.unpriced_rows,
        "offers_credit_rate": provider.credit_rate is not None or ("credits" in metrics and not reports_cost(provider)),
        "chart": chart,
        "history": history,
        **state,
        **keys,
        "has_restatements": bool(restatements),
        "every_day": DateRange(EARLIEST_DAY, today).query,
        "companies": companies,
        "row_choices": companies if len(companies) <= ROW_SELECT_LIMIT else None,
        "assign_url": reverse("providers:assign", args=[provider.pk]),
        "sync_url": reverse("providers:sync", args=[provider.pk]),
        "here": request.get_full_path(),
        "today": today,
    }
    return render(request, "providers/detail.html", context, status=chosen.status)


def _status(provider: Provider, now: datetime, state: Mapping[str, Any]) -> Provider.Status:
    """Connected and with a run that has not ended is syncing, whether or not a worker has taken it up yet."""
    status = provider.status(now)
    return Provider.Status.SYNCING if state["run"] and status == Provider.Status.CONNECTED else status


def _synced(provider: Provider, now: datetime, state: Mapping[str, Any]) -> str:
    """ "Last synced 12 min ago · next about 15:00 UTC"."""
    if state["run"] and provider.last_synced_at is None:
        return "First sync in progress"
    last = f"Last synced {ago(provider.last_synced_at, now)}" if provider.last_synced_at else "Not synced yet"
    if provider.disconnected_at is not None:
        return f"{last} · disconnected on {formatters.day(provider.disconnected_at.date())}"
    if provider.paused_at is not None or provider.next_due_at is None:
        return last
    return f"{last} · next about {clock(max(provider.next_due_at, now))}"

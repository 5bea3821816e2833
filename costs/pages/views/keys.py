"""The list of API keys and agents of every workspace, and the page of one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.money import UNKNOWN, format_number
from core.querystate import choices
from core.table_csv import asked_table, csv_url, table_csv
from core.tables import Table
from core.wording import count
from costs.pages import formatters
from costs.pages.charts import daily_chart
from costs.pages.key_cells import assigning_context, described, named_payers
from costs.pages.key_list import key_list as list_of
from costs.pages.marks import marks_of
from costs.pages.notices import simulated_notice, stale_notices, unread_notice
from costs.pages.ranges import RangeChoice, read_range
from costs.pages.usage_tables import usage_table
from costs.pages.views.downloads import download
from costs.pages.views.scope import read_step
from costs.pages.words import PageWords, words_for
from costs.reports.key import KeyReport, key_report
from costs.reports.keys import keys_report
from costs.usage.coverage import Reading
from providers.finding import KeyFilter
from providers.forms.keys import LabelForm
from providers.models import Assignment, Project


@require_safe
def key_list(request: HttpRequest) -> HttpResponseBase:
    now = timezone.now()
    chosen = read_range(request, today=now.date())
    wanted = KeyFilter.of(request.GET)
    report = keys_report(wanted, days=chosen.range, now=now)
    words = words_for(report.providers)
    keys = list_of(request, report, wanted, now, words, chosen.query)
    if not chosen.error and (asked := asked_table(request, {"keys": keys.table})):
        return download(table_csv(asked[1]), name=[*(chip.label for chip in keys.chips), asked[0]], days=chosen.range)
    context = {
        **assigning_context(request, report.current_companies, report.today),
        "chosen": chosen,
        "keys": keys,
        "report": report,
        "has_agents": Project.Kind.AGENT in report.kinds,
        "stale": stale_notices(report.providers, now, request.user),
        "unread": unread_notice(report.providers, report.coverages, user=request.user, today=report.today),
        "simulated": simulated_notice(report.providers),
    }
    return render(request, "keys/list.html", context, status=chosen.status)


@require_safe
def key_detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The page of an API key, an agent, a person, or of what was used without a key."""
    now = timezone.now()
    project = get_object_or_404(Project.objects.select_related("provider").with_presence(), pk=pk)
    chosen = read_range(request, today=now.date())
    words = words_for([project.provider])
    slug, metrics = choices(request, "metric", {slug: each.label for slug, each in words.metrics.items()})
    metric = words.metrics[slug]
    report = key_report(project, chosen.range, metric=metric, now=now, step=read_step(request))
    title = f"{metric.label} per {report.daily.step.value} by model"
    chart = daily_chart(request, report.daily, title=title, words=words, marks=marks_of(project, chosen.range))
    tables = {"days": chart.table, "models": _models(request, report, chosen, words)}
    if not chosen.error and (asked := asked_table(request, tables)):
        about = [slug] if asked[0] == "days" else []
        return download(table_csv(asked[1]), name=[project.display_name, *about, asked[0]], days=chosen.range)
    context = {
        **assigning_context(request, report.current_companies, report.today),
        **_about(report, now, words),
        "chosen": chosen,
        "metric": metric,
        "metrics": metrics,
        "chart": chart,
        "tables": tables,
        "nothing_read": report.coverage.reading is Reading.NONE,
        "unread": unread_notice([project.provider], report.coverages, user=request.user, today=report.today),
        "stale": stale_notices([project.provider], now, request.user),
        "simulated": simulated_notice([project.provider]),
    }
    return render(request, "keys/detail.html", context, status=chosen.status)


def _about(report: KeyReport, now: datetime, words: PageWords) -> dict[str, Any]:
    """What the page says of the key itself: figures, facts, and who pays for it when."""
    project, total, reading = report.project, report.total, report.coverage.reading
    in_force = report.periods.on(report.today)
    return {
        "key": project,
        "heading": formatters.project(project, now=now, words=words),
        "words": words,
        "spend": formatters.money(total, report.currency, reading=reading, words=words),
        "share": formatters.share(total, report.workspace, report.currency, words=words),
        "credits": formatters.amount(total, "credits", reading=reading, words=words),
        "requests": formatters.amount(total, "requests", reading=reading, words=words),
        "calls": _calls(report),
        "first_used": formatters.day(project.first_used_on),
        "last_used": formatters.day(project.last_used_on),
        "label_form": LabelForm(initial={"label": project.label}),
        "rule": report.rule,
        "is_by_rule": in_force is not None and in_force.source == Assignment.Source.RULE,
        "payers": described(named_payers(in_force, report.companies)) if in_force else "",
        "periods": [
            {
                "starts_on": period.starts_on,
                "from": "The beginning" if period.is_from_the_beginning else formatters.day(period.starts_on),
                "until": formatters.day(period.ends_on) if period.ends_on else "",
                "payers": described(named_payers(period, report.companies)),
                "source": Assignment.Source(period.source).label,
                "is_from_the_beginning": period.is_from_the_beginning,
                "holds": period.holds_on(report.today),
            }
            for period in reversed(report.periods.in_order)
        ],
    }


def _calls(report: KeyReport) -> dict[str, str]:
    """What its conversations tell, in words; empty where none were read."""
    calls = report.calls
    if calls is None:
        return {}
    return {
        "days": count(calls.days, "day"),
        "number": format_number(calls.number),
        "minutes": format_number(calls.minutes, 1),
        "per_call": str(calls.cost_per_call or UNKNOWN),
        "per_minute": str(calls.cost_per_minute or UNKNOWN),
    }


def _models(request: HttpRequest, report: KeyReport, chosen: RangeChoice, words: PageWords) -> Table:
    query = chosen.with_query(provider=str(report.project.provider_id))
    return usage_table(
        report.models,
        [formatters.model(line.subject, line.label, query) for line in report.models.lines],
        caption="Usage by model",
        subject="Model",
        currency=report.currency,
        coverage=report.coverage,
        csv_url=csv_url(request, "models"),
        words=words,
    )

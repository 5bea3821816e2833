"""The list of providers, and the page of one: its state, its API keys, its usage, its syncs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from costs import cells, reports
from costs.charts import stacked_by_day
from costs.metrics import METRICS
from costs.models import DailyUsageQuerySet
from costs.money import Money, format_number
from costs.querystate import PAGE_SIZE, Sorting, choices, natural, paginate, read_range, read_sorting
from costs.ranges import DateRange, presets
from costs.reports import Coverage, Reading, Totals
from costs.tables import Column, figures, heading, usage_table
from costs.views.dashboard import offers_simulated
from costs.views.notices import unread_notice
from costs.wording import ago, clock, count, duration, moment
from providers.models import BEGINNING, Assignment, Company, Project, Provider, SyncRun
from providers.progress import region_label, steps, type_label

# Of more companies than this the rows of the key table offer no choice of their own; the bulk bar does.
ROW_SELECT_LIMIT = 60
HISTORY_LENGTH = 20
WARNING_AT_PERCENT = 90


# The list -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProviderRow:
    provider: Provider
    name: SafeString
    type_label: str
    status: Provider.Status
    last_sync: str
    spend: SafeString
    totals: Totals
    unassigned_keys: int


PROVIDER_SORTS: Mapping[str, Callable[[ProviderRow], Any]] = {
    "name": lambda row: natural(row.provider.name),
    "status": lambda row: row.status.label,
    "synced": lambda row: row.provider.last_synced_at.timestamp() if row.provider.last_synced_at else 0,
    "spend": lambda row: row.totals.sort_amount,
    "unassigned": lambda row: row.unassigned_keys,
}


@require_safe
def provider_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    today = now.date()
    providers = list(Provider.objects.all())
    if not providers:
        return render(request, "providers/empty.html", {"offers_simulated": offers_simulated()})

    month = presets(today)[0].range
    spend = reports.provider_breakdown(reports.all_usage().between(month.first, month.last), providers)
    keys = reports.keys_in_force(today)
    readings = {pk: known.reading for pk, known in reports.coverages(providers, month, today=today).items()}
    rows = [
        ProviderRow(
            provider=provider,
            name=cells.provider(provider),
            type_label=type_label(provider.type),
            status=provider.status(now),
            last_sync=ago(provider.last_synced_at, now) if provider.last_synced_at else "Not yet",
            spend=cells.money(line.totals, provider.currency, reading=readings[provider.pk]),
            totals=line.totals,
            unassigned_keys=keys.get((provider.pk, None), 0),
        )
        for provider, line in zip(providers, spend.lines, strict=True)
    ]
    sorting = read_sorting(request, PROVIDER_SORTS, default="name", text=("name", "status"))
    rows.sort(key=lambda row: natural(row.provider.name))
    rows.sort(key=PROVIDER_SORTS[sorting.column], reverse=sorting.is_descending)
    whole = Reading.WHOLE if set(readings.values()) == {Reading.WHOLE} else Reading.PART
    context = {
        "rows": rows,
        "headings": [
            heading(column, sorting)
            for column in (
                Column("Name", is_number=False, sort="name"),
                Column("Type", is_number=False),
                Column("Status", is_number=False, sort="status"),
                Column("Last sync", is_number=False, sort="synced"),
                Column("Spend this month", sort="spend"),
                Column("Unassigned keys", sort="unassigned"),
            )
        ],
        "total_spend": cells.money(spend.total, reports.main_currency(spend.total, providers), reading=whole),
        "total_unassigned": sum(row.unassigned_keys for row in rows),
        "rounding_shows": spend.rounding_shows,
        "range": month,
    }
    return render(request, "providers/list.html", context)


# The page of one ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KeyRow:
    """A row of the key table."""

    project: Project
    name: SafeString
    totals: Totals
    figures: tuple[str, ...]
    company: Company | None
    company_note: str  # when its company changes or changed
    last_used: str

    @property
    def company_value(self) -> str:
        """As the row's choice calls it."""
        return str(self.company.pk) if self.company else "none"


KEY_SORTS: Mapping[str, Callable[[KeyRow], Any]] = {
    "name": lambda row: natural(row.project.display_name),
    "company": lambda row: natural(row.company.name if row.company else ""),
    "spend": lambda row: row.totals.sort_amount,
    "credits": lambda row: row.totals.credits or 0,
    "minutes": lambda row: row.totals.minutes or 0,
    "requests": lambda row: row.totals.requests or 0,
    "used": lambda row: row.project.last_used_on or date.min,
}
KEY_COLUMNS = (
    Column("API key", is_number=False, sort="name"),
    Column("Company", is_number=False, sort="company"),
    Column("Spend", sort="spend"),
    Column("Credits", sort="credits"),
    Column("Minutes", sort="minutes"),
    Column("Requests", sort="requests"),
    Column("Last used", sort="used"),
)
KEY_FILTERS = {"all": "All", "unassigned": "Unassigned"}


@require_safe
def provider_detail(request: HttpRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    today = now.date()
    provider = get_object_or_404(Provider, pk=pk)
    chosen = read_range(request, today=today)
    coverage = reports.coverage([provider], chosen.range, today=today)
    usage = reports.all_usage().for_provider(provider).between(chosen.range.first, chosen.range.last)
    runs = list(provider.runs.all()[:HISTORY_LENGTH])

    by_model_and_day = reports.totals_by(usage, "model", "day")
    names = reports.model_labels([provider])
    models = reports.breakdown_of(reports.regroup(by_model_and_day, 0), names)
    currency = reports.main_currency(models.total, [provider])
    metric_slug, metric_choices = choices(request, "metric", {slug: metric.label for slug, metric in METRICS.items()})

    companies = list(Company.objects.current())
    rows = _key_rows(provider, usage, currency, coverage, today)
    unassigned = sum(1 for row in rows if row.company is None and _waits_for_company(row.project))
    context = {
        "provider": provider,
        "type_label": type_label(provider.type),
        "region_label": region_label(provider.type, provider.region),
        "status": provider.status(now),
        "synced": _synced(provider, now),
        "chosen": chosen,
        "nothing_read": coverage.reading is Reading.NONE,
        "unread": unread_notice([provider], {provider.pk: coverage}),
        "plan": _plan(provider.subscription),
        "metric": METRICS[metric_slug],
        "metrics": metric_choices,
        "models": usage_table(
            models,
            [line.label for line in models.lines],
            caption="Usage by model",
            subject="Model",
            currency=currency,
            coverage=coverage,
        ),
        "has_usage": any(not line.totals.is_idle for line in models.lines),
        "is_free": bool(models.lines) and not models.total.sort_amount and not models.total.unpriced_rows,
        "models_rounding_shows": models.rounding_shows,
        "chart": stacked_by_day(
            title=f"{METRICS[metric_slug].label} per day by model",
            days=reports.mark_days(reports.regroup(by_model_and_day, 1), chosen.range, coverage),
            by_group_and_day=by_model_and_day,
            labels=names,
            metric=METRICS[metric_slug],
            currency=currency,
        ),
        "history": [_history_row(run) for run in runs],
        **_sync_state(provider, runs, unassigned),
        **_key_table(request, rows, currency, coverage),
        "companies": companies,
        "row_choices": companies if len(companies) <= ROW_SELECT_LIMIT else None,
        "assign_url": reverse("providers:assign", args=[provider.pk]),
        "sync_url": reverse("providers:sync", args=[provider.pk]),
        "here": request.get_full_path(),
        "today": today,
    }
    return render(request, "providers/detail.html", context, status=chosen.status)


def _synced(provider: Provider, now: datetime) -> str:
    """ "Last synced 12 min ago · next about 15:00 UTC"."""
    last = f"Last synced {ago(provider.last_synced_at, now)}" if provider.last_synced_at else "Not synced yet"
    if provider.paused_at is not None or provider.next_due_at is None:
        return last
    return f"{last} · next about {clock(max(provider.next_due_at, now))}"


def _waits_for_company(project: Project) -> bool:
    """As reports.keys_in_force counts."""
    return project.kind == Project.Kind.KEY and not (project.deleted_at and project.first_used_on is None)


# Keys -----------------------------------------------------------------------------------------------------------------


def _key_rows(
    provider: Provider, usage: DailyUsageQuerySet, currency: str, coverage: Coverage, today: date
) -> list[KeyRow]:
    projects = list(Project.objects.for_provider(provider))
    by_project = reports.project_breakdown(usage, projects)
    periods: dict[int, list[tuple[date, Company | None]]] = {}
    assignments = Assignment.objects.filter(project__provider=provider).order_by("project", "starts_on")
    for period in assignments.prefetch_related("shares__company"):
        payer = next((share.company for share in period.shares.all()), None)
        periods.setdefault(period.project_id, []).append((period.starts_on, payer))
    rows = []
    for line in by_project.lines:
        project = line.subject
        company, note = _company_of(periods.get(project.pk, []), today)
        rows.append(
            KeyRow(
                project=project,
                name=cells.project(project),
                totals=line.totals,
                figures=figures(line.totals, currency, coverage.row_reading),
                company=company,
                company_note=note,
                last_used=cells.day(project.last_used_on),
            )
        )
    return rows


def _company_of(periods: Sequence[tuple[date, Company | None]], today: date) -> tuple[Company | None, str]:
    """Whose a key is today, and in words the nearest change of that; ``periods`` are in order."""
    past = [period for period in periods if period[0] <= today]
    future = [period for period in periods if period[0] > today]
    company = past[-1][1] if past else None
    notes = []
    if len(past) > 1 or (past and past[-1][0] > BEGINNING):
        notes.append(f"since {cells.day(past[-1][0])}")
    if future:
        begins, following = future[0]
        notes.append(f"{following.name if following else 'Unassigned'} from {cells.day(begins)}")
    return company, " · ".join(notes)


def _key_table(request: HttpRequest, rows: list[KeyRow], currency: str, coverage: Coverage) -> dict[str, Any]:
    chosen_filter, filters = choices(request, "show", KEY_FILTERS, page=None)
    sorting: Sorting = read_sorting(request, KEY_SORTS, default="-spend", text=("name", "company"))
    shown = [row for row in rows if chosen_filter == "all" or row.company is None]
    shown.sort(key=lambda row: natural(row.project.display_name))
    shown.sort(key=KEY_SORTS[sorting.column], reverse=sorting.is_descending)
    total = sum((row.totals for row in shown), reports.NOTHING)
    as_lines = reports.Breakdown(tuple(reports.Line(row.project, "", row.totals) for row in shown), total)
    return {
        "keys": paginate(request, shown),
        "has_keys": bool(rows),
        "filters": filters,
        "is_filtered": chosen_filter != "all",
        "key_headings": [heading(column, sorting) for column in KEY_COLUMNS],
        "key_totals": figures(total, currency, coverage.reading),
        "keys_rounding_shows": as_lines.rounding_shows,
        "is_paged": len(shown) > PAGE_SIZE,
    }


# Plan -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """The subscription as the provider reported it, as far as it did."""

    tier: str
    status: str
    used: str
    used_value: int | None
    limit_value: int | None
    resets: str
    overage: str
    is_nearly_used: bool


def _plan(subscription: object) -> Plan | None:
    """Read leniently: it is shown, nothing is computed from it but a percentage."""
    if not isinstance(subscription, dict):
        return None
    used, limit = _integer(subscription.get("character_count")), _integer(subscription.get("character_limit"))
    reset = _integer(subscription.get("next_character_count_reset_unix"))
    overage = subscription.get("current_overage")
    tier = _words(subscription.get("tier"))
    return Plan(
        tier=f"{tier} plan" if tier else "Plan not reported",
        status=_words(subscription.get("status")),
        used=f"{format_number(used)} of {format_number(limit)} credits used"
        if used is not None and limit is not None
        else "",
        used_value=used,
        limit_value=limit,
        resets=f"Resets {cells.day(datetime.fromtimestamp(reset, tz=timezone.now().tzinfo).date())}"
        if reset is not None and 0 < reset < 2**32
        else "",
        overage=_overage(overage),
        is_nearly_used=bool(used and limit and used * 100 >= limit * WARNING_AT_PERCENT),
    )


def _overage(overage: object) -> str:
    if not isinstance(overage, dict):
        return ""
    try:
        amount = Money(str(overage.get("currency") or cells.DEFAULT_CURRENCY).lower(), Decimal(str(overage["amount"])))
    except (ArithmeticError, KeyError):
        return ""
    return str(amount) if amount.amount.is_finite() and amount.amount else ""


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def _words(value: object) -> str:
    """ "past_due" → "Past due"."""
    return value.replace("_", " ").strip().capitalize() if isinstance(value, str) else ""


# Syncs ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HistoryRow:
    run: SyncRun
    started: str
    took: str
    window: str
    rows: str
    outcome: str  # the name of an icon
    result: str
    error: str


def _history_row(run: SyncRun) -> HistoryRow:
    changed = run.rows_inserted + run.rows_changed
    return HistoryRow(
        run=run,
        started=moment(run.started_at or run.queued_at),
        took=duration(run.took) if run.took is not None else "",
        window=str(DateRange(run.window_from, run.window_to).days) if run.window_from and run.window_to else "",
        rows=f"{run.rows_read:,} read, {changed:,} changed" if run.started_at else "",
        outcome=run.outcome or ("syncing" if run.started_at else "waiting"),
        result=str(run.get_outcome_display()) if run.outcome else str(run.get_stage_display()),
        error=run.error_text,
    )


def _sync_state(provider: Provider, runs: Sequence[SyncRun], unassigned: int) -> dict[str, Any]:
    """What the top of the page says about syncing: that it runs, how the last one ended, what to do now."""
    running = next((run for run in reversed(runs) if not run.is_finished), None)
    newest = next((run for run in runs if run.is_finished), None)
    failed = newest if newest and newest.outcome == SyncRun.Outcome.FAILED and not running else None
    needs_look = newest if newest and newest.outcome == SyncRun.Outcome.NEEDS_LOOK and not running else None
    finished_initial = (
        newest
        and not running
        and newest.trigger == SyncRun.Trigger.CONNECT
        and newest.outcome == SyncRun.Outcome.SUCCEEDED
    )
    return {
        "run": running,
        "steps": steps(running) if running else [],
        "failed": failed,
        "failed_text": (failed.error_text if failed else "") or provider.failure_text,
        "failed_while": FAILED_WHILE.get(failed.stage, "") if failed else "",
        "has_failed": bool(failed or (provider.failure_code and not running)),
        "needs_look": needs_look,
        "initial_done": bool(finished_initial),
        "unassigned_keys": unassigned,
        "assign_prompt": f"Assign {count(unassigned, 'API key')} to companies." if unassigned else "",
    }


FAILED_WHILE = {
    SyncRun.Stage.QUEUED.value: "before it began",
    SyncRun.Stage.ACCOUNT.value: "while reading the subscription",
    SyncRun.Stage.KEYS.value: "while listing the API keys",
    SyncRun.Stage.USAGE.value: "while reading usage",
}

"""What is watched: many budgets and many series of spend, evaluated as after a sync.

Reference: one naive SUM per company over the raw rows of the weeks that unusual spending is looked for in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice, product
from typing import Any

from django.db import transaction

from alerts.evaluation import evaluate_if_asked
from alerts.evaluation.budgets import evaluate_budgets
from alerts.evaluation.watching import evaluate_rules
from alerts.models import Budget, EvaluationRequest, Threshold
from alerts.rules.world import World as Watched
from alerts.services.budgets import default_limits
from benchmarks.loading import connect, refresh_statistics
from benchmarks.measuring import median_seconds, reads_of, recorded_statements, timed
from benchmarks.pages import seconds_of_raw_sum
from benchmarks.results import Result
from benchmarks.world import Effort, as_usage, days_until_today, rows_of, today
from core.days import DateRange
from costs.usage.coverage import record_reading
from costs.usage.writing import write_usage
from providers.models import Company, Project, Provider

# As many days as are looked at, written in windows of so many.
DAYS, WINDOW = 75, 25
# Of all budgets so many parts of ten are of API keys.
OF_KEYS = 3


def measure(effort: Effort) -> Iterator[Result]:
    now = datetime.now(UTC)
    _add_spenders(effort.series - len(Watched(now).spenders), now)
    _add_budgets(effort.budgets)
    refresh_statistics()
    watched = Watched(now)
    raw = seconds_of_raw_sum(watched.weeks.first, watched.weeks.last, None)

    def evaluate_all(now: datetime) -> None:
        EvaluationRequest.objects.create(reason="sync", asked_at=now)
        if not evaluate_if_asked(now=now):
            raise RuntimeError("What was asked for was not evaluated.")

    evaluations: dict[str, Callable[[datetime], None]] = {
        f"{Budget.objects.count():,} budgets": lambda now: evaluate_budgets(Watched(now)),
        f"the rules, with {len(watched.spenders):,} series": lambda now: evaluate_rules(Watched(now)),
        "both, as after a sync": evaluate_all,
    }
    for name, evaluate in evaluations.items():
        for _look in range(2):  # the first one tells what there is to tell, a second one of forecasts
            evaluate(now)
        with timed() as once, recorded_statements() as statements:
            evaluate(now)
        seconds = median_seconds(lambda evaluate=evaluate: evaluate(now), for_seconds=effort.page_seconds)  # type: ignore[misc]  # bound at once
        reads = reads_of(statements)
        details: dict[str, object] = {
            "queries": len(statements),
            "cpu_ms": once.cpu_seconds * 1000,
            "postgresql_ms": sum(statement.seconds for statement in statements) * 1000,
        }
        if reads is not None:
            details |= {"rows_read": reads.rows, "by_table": dict(reads.by_table), "heaviest": reads.heaviest}
        yield Result("alerts", name, seconds * 1000, "ms", {"raw SUM": seconds / raw}, details)


def _add_spenders(number: int, now: datetime) -> None:
    """So many more series: companies, each with a key of one more workspace."""
    if number < 1:
        return
    companies = Company.objects.bulk_create([Company(name=f"Watched company {n:04}") for n in range(number)])
    workspace = connect("Watched workspace", number, companies)
    days = iter(days_until_today(DAYS))
    while window := list(islice(days, WINDOW)):
        rows = [
            as_usage(row)
            for key, project in enumerate(workspace.projects)
            for row in rows_of(project.pk, key, 1, window)
        ]
        with transaction.atomic():
            write_usage(provider=workspace.provider, first=window[0], last=window[-1], rows=rows, read_at=now)
            record_reading(workspace.provider, DateRange(window[0], window[-1]), now)


def _add_budgets(number: int) -> None:
    """Of everything, of all workspaces, of keys and companies: of months, and – where those are too few – quarters."""
    keys = Project.objects.order_by("pk")[: number * OF_KEYS // 10]
    subjects: list[dict[str, Any]] = [
        {},
        *({"provider": provider} for provider in Provider.objects.all()),
        *({"project": project} for project in keys),
        *({"company": company} for company in Company.objects.order_by("pk")),
    ]
    wanted = islice(product((Budget.Period.MONTH, Budget.Period.QUARTER), subjects), number)
    first = today().replace(month=1, day=1)
    for place, (period, subject) in enumerate(wanted):
        # From what a day passes to what no year does.
        budget = Budget(
            period=period, amount=Decimal(10) ** (2 + place % 8), currency="usd", starts_on=first, **subject
        )
        budget.save()
        Threshold.objects.bulk_create(
            Threshold(budget=budget, kind=limit.kind, percent=limit.percent) for limit in default_limits()
        )

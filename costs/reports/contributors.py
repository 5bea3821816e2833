"""What is behind a change of spend: the API keys, agents and models that it comes from, and price against quantity.

Some days beside as many ordinary ones; what those cost is the mean of the four weeks before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from core.days import DateRange
from core.sums import ExactSum
from costs.models import AttributedUsage
from costs.reports.breakdowns import model_labels
from costs.reports.spending import Subject
from providers.models import Project, Provider

_Key = TypeVar("_Key", bound=Hashable)

WEEKS_BEFORE = 4
SHOWN = 3


@dataclass(frozen=True)
class Contributor:
    """So much more was spent on it than on ordinary days."""

    label: str
    more: Decimal


@dataclass(frozen=True)
class Contributors:
    """The largest first; empty where nothing cost more."""

    projects: tuple[Contributor, ...]
    models: tuple[Contributor, ...]
    # What more was used, at the ordinary price; and what it cost more than at that. Together they are the change. None
    # where credits are unknown, or there was nothing before.
    by_quantity: Decimal | None
    by_price: Decimal | None


def contributors(subject: Subject, pk: int, currency: str, days: DateRange) -> Contributors:
    """Of one subject's ``days``; three queries."""
    before = DateRange(days.first - timedelta(weeks=WEEKS_BEFORE), days.first - timedelta(days=1))
    share = Decimal(len(days)) / len(before)
    by_project: dict[int, Decimal] = defaultdict(Decimal)
    by_model: dict[str, Decimal] = defaultdict(Decimal)
    costs, credits_ = [Decimal(0), Decimal(0)], [Decimal(0), Decimal(0)]
    is_counted = True
    for is_before, (project, model, cost, used) in (
        *((False, row) for row in _rows(subject, pk, currency, days)),
        *((True, row) for row in _rows(subject, pk, currency, before)),
    ):
        more = -cost * share if is_before else cost
        by_project[project] += more
        by_model[model] += more
        costs[is_before] += cost
        credits_[is_before] += used or 0
        is_counted = is_counted and used is not None
    names = {project.pk: project.display_name for project in Project.objects.filter(pk__in=by_project)}
    by_quantity = by_price = None
    if is_counted and credits_[True] and costs[True]:
        by_quantity = (credits_[False] - credits_[True] * share) * costs[True] / credits_[True]
        by_price = costs[False] - costs[True] * share - by_quantity
    labels = model_labels(Provider.objects.all())
    return Contributors(_largest(by_project, names), _largest(by_model, labels), by_quantity, by_price)


def _rows(
    subject: Subject, pk: int, currency: str, days: DateRange
) -> Iterable[tuple[int, str, Decimal, Decimal | None]]:
    """Project, model, cost and credits."""
    field = {Subject.PROVIDER: "project__provider", Subject.COMPANY: "company", Subject.PROJECT: "project"}[subject]
    usage = AttributedUsage.objects.between(days.first, days.last).filter(currency=currency, **{field: pk})
    sums = {"sum_cost": ExactSum("cost"), "sum_credits": ExactSum("credits")}
    return usage.order_by().values_list("project_id", "model").annotate(**sums)


def _largest(more: Mapping[_Key, Decimal], labels: Mapping[_Key, str]) -> tuple[Contributor, ...]:
    ordered = sorted(((amount, str(labels.get(key, key))) for key, amount in more.items() if amount > 0), reverse=True)
    return tuple(Contributor(label, amount) for amount, label in ordered[:SHOWN])

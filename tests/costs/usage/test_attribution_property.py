"""Whatever is read, assigned and set: the parts follow the rules and add up to the usage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.models import SUMS, AttributedUsage, CompanySum, DailyUsage, Span, UsagePart
from costs.reports.totals import all_usage, totals_by, usage_by_key
from costs.usage.writing import Usage
from providers.models import BEGINNING, Assignment, AssignmentShare, Company, Project, Provider
from providers.signals import notify_assignments_changed, notify_sharing_changed
from tests.costs.usage.attributing import write
from tests.factories import TODAY, make_company, make_keyless, make_project, make_provider
from tests.properties import tried_by_both

pytestmark = pytest.mark.django_db

SHARING = Provider.KeylessSharing

DAYS = [TODAY - timedelta(days=offset) for offset in range(6)]
MODELS = ["", "tts", "stt"]
figures = st.one_of(st.none(), st.integers(0, 30))
Step = Callable[["World"], None]


class World:
    """Two providers with two keys and keyless usage each, and three companies."""

    def __init__(self) -> None:
        self.providers = [make_provider(), make_provider()]
        self.projects = [make_project(provider=self.providers[number % 2]) for number in range(4)]
        self.projects += [make_keyless(provider=provider) for provider in self.providers]
        self.companies = [make_company() for _ in range(3)]


@st.composite
def writings(draw: st.DrawFn) -> Step:
    """A window of one provider is read anew."""
    provider_index = draw(st.integers(0, 1))
    length = draw(st.integers(1, len(DAYS)))
    cells = draw(
        st.dictionaries(
            st.tuples(st.integers(0, 2), st.integers(0, length - 1), st.sampled_from(MODELS)),
            st.tuples(figures, figures, figures, figures, st.sampled_from(["usd", "eur"])),
            max_size=12,
        )
    )

    def step(world: World) -> None:
        provider = world.providers[provider_index]
        projects = [project for project in world.projects if project.provider_id == provider.pk]
        rows = [
            Usage(
                project_id=projects[key].pk,
                day=DAYS[offset],
                model=model,
                credits=_scaled(credits_used, 4),
                minutes=_scaled(minutes, 6),
                requests=requests,
                cost=_scaled(cost, 10),
                currency=currency if cost is not None else "",
            )
            for (key, offset, model), (credits_used, minutes, requests, cost, currency) in cells.items()
            if any((credits_used, minutes, requests, cost)) or (credits_used, minutes, requests, cost) == (None,) * 4
        ]
        write(provider, rows, days=length)

    return step


def _scaled(units: int | None, digits: int) -> Decimal | None:
    return None if units is None else Decimal(units).scaleb(-digits)


@st.composite
def assignings(draw: st.DrawFn) -> Step:
    """A key gets a period: to nobody, to one company, or split."""
    project_index = draw(st.integers(0, 5))
    starts_on = draw(st.sampled_from([BEGINNING, *DAYS]))
    shares = draw(st.sampled_from([(), ("100",), ("50", "50"), ("33.33", "33.33", "33.34"), ("99", "1")]))
    order = draw(st.permutations(range(3)))

    def step(world: World) -> None:
        project = world.projects[project_index]
        Assignment.objects.filter(project=project, starts_on=starts_on).delete()
        assignment = Assignment.objects.create(project=project, starts_on=starts_on)
        for company_index, percent in zip(order, shares, strict=False):
            AssignmentShare.objects.create(
                assignment=assignment, company=world.companies[company_index], percent=Decimal(percent)
            )
        notify_assignments_changed([project.pk])

    return step


@st.composite
def sharings(draw: st.DrawFn) -> Step:
    """A provider's setting for keyless usage changes."""
    index, sharing = draw(st.integers(0, 1)), draw(st.sampled_from(SHARING.values))

    def step(world: World) -> None:
        provider = world.providers[index]
        provider.keyless_sharing = sharing
        provider.save(update_fields=["keyless_sharing"])
        notify_sharing_changed(provider)

    return step


@tried_by_both(60)
@given(steps=st.lists(st.one_of(writings(), writings(), assignings(), sharings()), min_size=1, max_size=12))
def test_attribution_always_adds_up_and_follows_the_rules(db: None, steps: list[Step]) -> None:
    """After any readings, assignments and settings: the parts are those of the rules, and add up to the usage."""
    UsagePart.objects.all().delete()
    DailyUsage.objects.all().delete()
    for model in SUMS:
        model.objects.all().delete()
    Provider.objects.all().delete()
    Company.objects.all().delete()
    world = World()

    for step in steps:
        step(world)

    assert parts_in_units(stored_parts()) == parts_in_units(expected_parts())
    for fields in ((), ("day",), ("model",), ("company_id", "day"), ("company_id", "model")):
        by_key = totals_by(usage_by_key(), *fields)
        assert totals_by(all_usage(), *fields) == by_key
    assert totals_by(all_usage(), "provider_id") == totals_by(usage_by_key(), "project__provider_id")
    assert [sum_of(name) for name in FIGURES] == [
        sum((getattr(row, name) or 0 for row in DailyUsage.objects.all()), 0) for name in FIGURES
    ]


FIGURES = ("credits", "minutes", "requests", "cost")
Part = tuple[int, date, str, int | None, tuple[Any, ...]]


def sum_of(name: str) -> Any:
    return sum((getattr(row, name) or 0 for row in CompanySum.objects.of_span(Span.MONTH)), 0)


def parts_in_units(parts: Sequence[Part]) -> list[str]:
    return sorted(map(repr, parts))


def stored_parts() -> list[Part]:
    return [
        (row.project_id, row.day, row.model, row.company_id, tuple(_plain(getattr(row, name)) for name in FIGURES))
        for row in AttributedUsage.objects.all()
    ]


def expected_parts() -> list[Part]:
    """By the rules, from the usage and the assignments alone, in fractions."""
    parts: list[Part] = []
    keys_first = DailyUsage.objects.select_related("project__provider").order_by("-project__kind")
    for row in sorted(keys_first, key=lambda row: row.project.kind == Project.Kind.KEYLESS):
        weights = payers_of(row.project, row.day)
        if weights is None and row.project.kind == Project.Kind.KEYLESS:
            weights = shared(row, parts)
        if not weights:
            parts.append((row.project_id, row.day, row.model, None, tuple(_plain(getattr(row, n)) for n in FIGURES)))
            continue
        columns = [in_parts(row, name, weights) for name in FIGURES]
        for index, company_id in enumerate(sorted(weights)):
            figures_of = tuple(column[index] for column in columns)
            parts.append((row.project_id, row.day, row.model, company_id, figures_of))
    return parts


def payers_of(project: Project, day: date) -> dict[int, Fraction] | None:
    period = Assignment.objects.filter(project=project, starts_on__lte=day).order_by("starts_on").last()
    if period is None:
        return None
    return {share.company_id: Fraction(share.percent) for share in period.shares.all()}


def shared(row: DailyUsage, parts: Sequence[Part]) -> dict[int, Fraction]:
    provider = row.project.provider
    keys = list(Project.objects.filter(provider=provider, kind=Project.Kind.KEY))
    if provider.keyless_sharing == SHARING.EVENLY:
        in_use = [key for key in keys if key.first_used_on and key.first_used_on <= row.day]
        return {company: Fraction(1) for key in in_use for company in payers_of(key, row.day) or {}}
    if provider.keyless_sharing == SHARING.NONE:
        return {}
    used: dict[int, Fraction] = defaultdict(Fraction)
    costs: dict[str, dict[int, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    currencies = {
        (usage.project_id, usage.day, usage.model): usage.currency for usage in DailyUsage.objects.filter(day=row.day)
    }
    for project_id, day, model, company_id, (credits_used, _minutes, _requests, cost) in parts:
        if day == row.day and company_id is not None and project_id in {key.pk for key in keys}:
            if credits_used and Fraction(credits_used):
                used[company_id] += Fraction(credits_used)
            if cost and Fraction(cost):
                costs[currencies[project_id, day, model]][company_id] += Fraction(cost)
    if not used and len(costs) == 1:
        return next(iter(costs.values()))
    return used


def in_parts(row: DailyUsage, name: str, weights: dict[int, Fraction]) -> list[str | None]:
    value = getattr(row, name)
    if value is None:
        return [None] * len(weights)
    scale = {"credits": 4, "minutes": 6, "requests": 0, "cost": 10}[name]
    units = int(Fraction(value) * 10**scale)
    exact = {company: units * weight / sum(weights.values()) for company, weight in weights.items()}
    whole = {company: part.numerator // part.denominator for company, part in exact.items()}
    order = sorted(exact, key=lambda company: (-(exact[company] - whole[company]), company))
    for company in order[: units - sum(whole.values())]:
        whole[company] += 1
    return [_plain(Decimal(whole[company]).scaleb(-scale)) for company in sorted(weights)]


def _plain(value: Decimal | int | None) -> str | None:
    return None if value is None else f"{Decimal(value).normalize():f}"

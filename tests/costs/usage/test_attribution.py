"""Whose usage is whose: periods, shares, keyless usage – and that nothing is ever lost or doubled on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from costs.models import AttributedUsage, DailyTotal, DailyUsage
from costs.reports.totals import all_usage, totals_by, usage_by_key
from costs.usage.attribution import split
from costs.usage.writing import Usage, write_usage
from providers.models import BEGINNING, Assignment, AssignmentShare, Company, Project, Provider
from providers.signals import notify_assignments_changed, notify_sharing_changed
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_split,
    make_usage,
)

pytestmark = pytest.mark.django_db

SHARING = Provider.KeylessSharing


def owners(**filters: Any) -> list[str | None]:
    """Whose each row is, ordered by day."""
    found = AttributedUsage.objects.filter(**filters).order_by("day", "company__name")
    return [row.company.name if row.company else None for row in found.select_related("company")]


def costs_of(project: Project) -> dict[str | None, Decimal | None]:
    """What of the project's cost falls to each company; of one day, or it would be overwritten."""
    rows = AttributedUsage.objects.filter(project=project).select_related("company")
    return {row.company.name if row.company else None: row.cost for row in rows}


def test_row_belongs_to_the_company_of_its_day() -> None:
    """An assignment from a day on splits exactly there; days before keep the company they had."""
    project = make_project()
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    make_assignment(project=project, company=acme)
    make_assignment(project=project, company=globex, starts_on=date(2026, 11, 15))
    for day in (13, 14, 15, 16):
        make_usage(project=project, day=date(2026, 11, day))

    assert owners() == ["Acme", "Acme", "Globex", "Globex"]


def test_days_before_the_first_period_are_unassigned() -> None:
    """A period that starts later says nothing of the days before."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Acme"), starts_on=date(2026, 11, 15))
    for day in (14, 15):
        make_usage(project=project, day=date(2026, 11, day))

    assert owners() == [None, "Acme"]


def test_period_without_a_company_is_unassigned() -> None:
    """From its first day on the project belongs to nobody."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Acme"))
    make_assignment(project=project, company=None, starts_on=date(2026, 11, 15))
    for day in (14, 15):
        make_usage(project=project, day=date(2026, 11, day))

    assert owners() == ["Acme", None]


def test_assignments_of_other_projects_do_not_count() -> None:
    """A row follows its own project."""
    make_assignment(project=make_project(), company=make_company())
    make_usage()

    assert owners() == [None]


def test_attribution_neither_adds_nor_loses_rows() -> None:
    """Each row is attributed once, however many periods its project has."""
    project = make_project()
    for day in range(1, 20):
        make_assignment(project=project, company=make_company(), starts_on=date(2026, 11, day))
    make_usage(project=project, day=date(2026, 11, 21))
    make_usage(project=project, day=date(2026, 10, 1))

    assert AttributedUsage.objects.count() == 2


def test_split_row_adds_up_by_largest_remainder() -> None:
    """A cent in three parts: the first company of equal remainders takes what is left over."""
    project = make_project()
    shares = {make_company(name=name): "33.33" for name in ("One", "Two")} | {make_company(name="Three"): "33.34"}
    make_split(project=project, shares=shares)
    make_usage(project=project, cost=Decimal("0.0000000001"), requests=10, credits=Decimal("0.0002"), minutes=None)

    parts = list(AttributedUsage.objects.order_by("company_id"))

    assert [part.cost for part in parts] == [0, 0, Decimal("0.0000000001")]
    assert [part.requests for part in parts] == [3, 3, 4]
    assert [part.credits for part in parts] == [Decimal("0.0001"), 0, Decimal("0.0001")]
    assert [part.minutes for part in parts] == [None, None, None]


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (10, ["50", "50"], [5, 5]),
        (1, ["50", "50"], [1, 0]),
        (2, ["33.33", "33.33", "33.34"], [1, 0, 1]),
        (100, ["99.99", "0.01"], [100, 0]),
        (7, ["1", "2", "4"], [1, 2, 4]),
        (0, ["60", "40"], [0, 0]),
        (None, ["60", "40"], [None, None]),
        (9_223_372_036_854_775_807, ["50", "50"], [4_611_686_018_427_387_904, 4_611_686_018_427_387_903]),
    ],
)
def test_split_gives_each_its_part_and_loses_nothing(
    amount: int | None, weights: list[str], parts: list[int | None]
) -> None:
    """Whole units of the storage scale; ties go to the lowest company id."""
    assert split(amount, tuple((index, Decimal(weight)) for index, weight in enumerate(weights, 1))) == parts


def test_split_applies_from_its_day_on() -> None:
    """Before it the key belonged to one company, after it to nobody."""
    project = make_project()
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    make_assignment(project=project, company=acme)
    make_split(project=project, shares={acme: 60, globex: 40}, starts_on=date(2026, 11, 15))
    make_assignment(project=project, company=None, starts_on=date(2026, 11, 16))
    for day in (14, 15, 16):
        make_usage(project=project, day=date(2026, 11, day))

    assert owners() == ["Acme", "Acme", "Globex", None]


def test_writing_keeps_a_split_key_split() -> None:
    """What a sync changes is split as what stood was."""
    project = make_project()
    make_split(project=project, shares={make_company(name="Acme"): 75, make_company(name="Globex"): 25})
    make_usage(project=project, day=TODAY, cost=Decimal(1), model="m")

    write(project.provider, [usage(project, TODAY, cost=Decimal(8))])

    assert costs_of(project) == {"Acme": 6, "Globex": 2}


def test_keyless_usage_is_unassigned_until_the_provider_says_otherwise() -> None:
    """The default setting."""
    keyless = make_keyless(provider=make_provider())
    make_usage(project=keyless)

    assert owners(project=keyless) == [None]


def test_keyless_usage_is_shared_evenly_between_companies_with_a_key_in_use() -> None:
    """However much each of them used; a company whose key is used later, deleted or unassigned by then pays nothing."""
    provider = make_provider(keyless_sharing=SHARING.EVENLY)
    day = TODAY - timedelta(days=5)
    for name, used, deleted in (
        ("Acme", day, None),
        ("Globex", day - timedelta(days=30), NOW),
        ("Later", day + timedelta(days=1), None),
        ("Gone", day - timedelta(days=30), NOW - timedelta(days=6)),
    ):
        key = make_project(provider=provider, first_used_on=used, deleted_at=deleted)
        make_assignment(project=key, company=make_company(name=name))
    make_project(provider=provider, first_used_on=day)
    keyless = make_keyless(provider=provider)
    make_usage(project=keyless, day=day, cost=Decimal(3))

    assert costs_of(keyless) == {"Acme": Decimal("1.5"), "Globex": Decimal("1.5")}


def test_keyless_usage_is_shared_by_what_the_keys_used_that_day() -> None:
    """In proportion to the companies' credits; unassigned keys take no part."""
    provider = make_provider(keyless_sharing=SHARING.BY_USAGE)
    for name, credits_used in (("Acme", 300), ("Globex", 100), (None, 600)):
        key = make_project(provider=provider)
        make_usage(project=key, credits=Decimal(credits_used), cost=Decimal(9))
        if name:
            make_assignment(project=key, company=make_company(name=name))
    keyless = make_keyless(provider=provider)
    make_usage(project=keyless, cost=Decimal(4))

    assert costs_of(keyless) == {"Acme": 3, "Globex": 1}


def test_keyless_usage_is_shared_by_cost_where_no_credits_are_known() -> None:
    """A workspace that is billed by cost."""
    provider = make_provider(keyless_sharing=SHARING.BY_USAGE)
    for name, cost in (("Acme", 1), ("Globex", 3)):
        key = make_project(provider=provider)
        make_usage(project=key, credits=None, cost=Decimal(cost))
        make_assignment(project=key, company=make_company(name=name))
    keyless = make_keyless(provider=provider)
    make_usage(project=keyless, credits=None, cost=Decimal(8))

    assert costs_of(keyless) == {"Acme": 2, "Globex": 6}


@pytest.mark.parametrize("sharing", [SHARING.EVENLY, SHARING.BY_USAGE])
def test_keyless_usage_of_a_day_without_a_company_stays_unassigned(sharing: str) -> None:
    """There is nobody to share it."""
    provider = make_provider(keyless_sharing=sharing)
    make_usage(project=make_project(provider=provider))
    keyless = make_keyless(provider=provider)
    make_usage(project=keyless)

    assert owners(project=keyless) == [None]


@pytest.mark.parametrize("company", ["Globex", None])
def test_explicit_assignment_of_keyless_usage_beats_the_setting(company: str | None) -> None:
    """Also one to nobody; before its day the setting holds."""
    provider = make_provider(keyless_sharing=SHARING.BY_USAGE)
    key, keyless = make_project(provider=provider), make_keyless(provider=provider)
    make_assignment(project=key, company=make_company(name="Acme"))
    for day in (TODAY - timedelta(days=1), TODAY):
        make_usage(project=key, day=day)
        make_usage(project=keyless, day=day)

    make_assignment(project=keyless, company=make_company(name=company) if company else None, starts_on=TODAY)

    assert owners(project=keyless) == ["Acme", company]


def test_change_of_the_setting_moves_what_is_stored() -> None:
    """And back again."""
    provider = make_provider()
    key, keyless = make_project(provider=provider, first_used_on=BEGINNING), make_keyless(provider=provider)
    make_assignment(project=key, company=make_company(name="Acme"))
    make_usage(project=keyless)

    seen = []
    for sharing in (SHARING.EVENLY, SHARING.NONE):
        provider.keyless_sharing = sharing
        provider.save()
        notify_sharing_changed(provider)
        seen.append(owners(project=keyless))

    assert seen == [["Acme"], [None]]


def test_key_that_comes_into_use_earlier_than_known_takes_its_part_of_stored_days() -> None:
    """A backfill reads the newest month first: what older ones show counts for the newer ones' keyless usage too."""
    provider = make_provider(keyless_sharing=SHARING.EVENLY)
    acme, globex = make_project(provider=provider), make_project(provider=provider)
    keyless = make_keyless(provider=provider)
    make_assignment(project=acme, company=make_company(name="Acme"))
    make_assignment(project=globex, company=make_company(name="Globex"))
    write(provider, [usage(acme, TODAY), usage(keyless, TODAY)])

    write(
        provider,
        [usage(globex, TODAY - timedelta(days=40))],
        days=41,
        first=TODAY - timedelta(days=40),
        last=TODAY - timedelta(days=39),
    )

    assert owners(project=keyless, day=TODAY) == ["Acme", "Globex"]


@pytest.mark.parametrize("still_used", [True, False], ids=["used later", "never used"])
def test_key_whose_first_use_is_taken_back_takes_no_part_of_the_days_after_it(*, still_used: bool) -> None:
    """A restatement of one day moves, or takes away, where its company begins to share."""
    provider = make_provider(keyless_sharing=SHARING.EVENLY)
    acme, globex = make_project(provider=provider), make_project(provider=provider)
    keyless = make_keyless(provider=provider)
    make_assignment(project=acme, company=make_company(name="Acme"))
    make_assignment(project=globex, company=make_company(name="Globex"))
    first, between = TODAY - timedelta(days=20), TODAY - timedelta(days=10)
    rows = [usage(globex, first), usage(acme, first), usage(keyless, between)]
    write(provider, [*rows, usage(acme, TODAY)] if still_used else rows, days=21)

    write(provider, [usage(globex, first)], first=first, last=first)

    assert owners(project=keyless, day=between) == ["Globex"]


def test_reading_the_same_again_attributes_nothing_anew() -> None:
    """The parts are the same rows as before."""
    project = make_project()
    make_split(project=project, shares={make_company(): 50, make_company(): 50})
    write(project.provider, [usage(project, TODAY)])
    before = set(AttributedUsage.objects.values_list("pk", flat=True)) | set(DailyTotal.objects.values_list("pk"))

    write(project.provider, [usage(project, TODAY)])

    after = set(AttributedUsage.objects.values_list("pk", flat=True)) | set(DailyTotal.objects.values_list("pk"))
    assert after == before


# --- The property -----------------------------------------------------------------------------------------------------

DAYS = [TODAY - timedelta(days=offset) for offset in range(6)]
MODELS = ["", "tts", "stt"]
figures = st.one_of(st.none(), st.integers(0, 30))
Step = Callable[["World"], None]


def usage(project: Project, day: date, **overrides: Any) -> Usage:
    fields: dict[str, Any] = {
        "model": "m",
        "credits": Decimal(100),
        "minutes": None,
        "requests": 3,
        "cost": Decimal(2),
        "currency": "usd",
    } | overrides
    return Usage(project_id=project.pk, day=day, **fields)


def write(
    provider: Provider, rows: Sequence[Usage], *, days: int = 1, first: date | None = None, last: date | None = None
) -> None:
    write_usage(
        provider=provider,
        first=first or TODAY - timedelta(days=days - 1),
        last=last or TODAY,
        rows=rows,
        read_at=NOW,
        accept_implausible=True,
    )


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


@settings(
    max_examples=60,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(st.one_of(writings(), writings(), assignings(), sharings()), min_size=1, max_size=12))
def test_attribution_always_adds_up_and_follows_the_rules(db: None, steps: list[Step]) -> None:
    """After any readings, assignments and settings: the parts are those of the rules, and add up to the usage."""
    AttributedUsage.objects.all().delete()
    DailyTotal.objects.all().delete()
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
    return sum((getattr(row, name) or 0 for row in DailyTotal.objects.all()), 0)


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
    keys_first = DailyUsage.objects.select_related("project__provider").order_by("-project__kind", "pk")
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

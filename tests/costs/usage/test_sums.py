"""Sums of days, weeks and months are those of the usage, whatever happens; one that is not is found and repaired."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from costs.models import (
    FIGURES,
    SUMS,
    TOTALS,
    AttributedUsage,
    ChangedSpan,
    CompanySum,
    DailyUsage,
    KeySum,
    ModelSum,
    Span,
    UsagePart,
)
from costs.reports.totals import Totals, all_usage, totals_by, usage_by_key
from costs.statements.closing import NotClosableError, close_month
from costs.usage.totals import add_up
from costs.usage.verifying import verify, verify_all_totals
from costs.usage.writing import Usage, write_usage
from providers.models import BEGINNING, Company, Project, Provider
from providers.services.managing import delete_provider, disconnect_provider
from providers.signals import notify_sharing_changed
from tests.factories import (
    NOW,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_split,
)
from tests.properties import tried_by_both

pytestmark = pytest.mark.django_db

# Around the end of a month, in the middle of a week.
DAYS = [date(2026, 10, 24) + timedelta(days=offset) for offset in range(14)]
SPANS: dict[Span, Callable[[date], date]] = {
    Span.DAY: lambda day: day,
    Span.WEEK: lambda day: day - timedelta(days=day.weekday()),
    Span.MONTH: lambda day: day.replace(day=1),
}
Step = tuple[Any, ...]


def expected(model: Any) -> dict[tuple[Any, ...], list[Any]]:
    """Added up in Python, row by row; unknown and known is the known part."""
    found: dict[tuple[Any, ...], list[Any]] = {}
    for row in AttributedUsage.objects.select_related("project"):
        told = tuple(getattr(row, f"{name}_id" if name != "model" else name) for name in model.DIMENSIONS)
        for span in model.SPANS:
            key = (row.project.provider_id, span.value, SPANS[span](row.day), *told, row.currency)
            sums = found.setdefault(key, [None] * len(FIGURES))
            for place, name in enumerate(FIGURES):
                value = getattr(row, name)
                sums[place] = sums[place] if value is None else (sums[place] or 0) + value
    return found


def stored(model: Any) -> dict[tuple[Any, ...], list[Any]]:
    told = [f"{name}_id" if name != "model" else name for name in model.DIMENSIONS]
    columns = ("provider_id", "span", "day", *told, "currency", *FIGURES)
    rows = [list(row) for row in model.objects.values_list(*columns)]
    return {tuple(row[: -len(FIGURES)]): row[-len(FIGURES) :] for row in rows}


def write(provider: Provider, *rows: Usage) -> None:
    write_usage(provider=provider, first=DAYS[0], last=DAYS[-1], rows=rows, read_at=NOW, accept_implausible=True)


figures = st.one_of(st.none(), st.integers(0, 30).map(Decimal))
rows_of_a_key = st.tuples(
    st.integers(0, 2), st.integers(0, 13), st.sampled_from(["", "tts"]), figures, figures, st.booleans()
)
steps = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 1), st.lists(rows_of_a_key, max_size=8)),
    st.tuples(st.just("assign"), st.integers(0, 5), st.integers(0, 2), st.sampled_from([BEGINNING, DAYS[3], DAYS[9]])),
    st.tuples(st.just("split"), st.integers(0, 5), st.integers(0, 2), st.sampled_from([DAYS[1], DAYS[8]])),
    st.tuples(st.just("share"), st.integers(0, 1), st.sampled_from(Provider.KeylessSharing.values)),
    st.tuples(st.just("close")),
    st.tuples(st.just("add up")),
    st.tuples(st.just("delete"), st.integers(0, 1)),
)


class World:
    """Two workspaces with two keys and keyless usage each, and three companies."""

    def __init__(self) -> None:
        self.providers = [make_provider(), make_provider()]
        self.keys = [make_project(provider=self.providers[number // 2]) for number in range(4)]
        self.keys += [make_keyless(provider=provider) for provider in self.providers]
        self.companies = [make_company() for _number in range(3)]

    def take(self, step: Step) -> None:
        match step:
            case ("write", place, cells):
                provider = self.providers[place]
                keys = [key for key in self.keys if key.provider_id == provider.pk]
                rows = {
                    (key, day, model): Usage(
                        keys[key].pk,
                        DAYS[day],
                        model,
                        used,
                        None,
                        None,
                        cost,
                        ("eur" if is_euro else "usd") if cost is not None else "",
                    )
                    for key, day, model, used, cost, is_euro in cells
                    if keys and (used or cost or (used is None and cost is None))
                }
                if Provider.objects.filter(pk=provider.pk).exists():
                    write(provider, *rows.values())
            case ("assign", key, company, day):
                payer = self.companies[company]
                self._replace(key, day, lambda project: make_assignment(project=project, company=payer, starts_on=day))
            case ("split", key, company, day):
                shares = {self.companies[company]: 33, self.companies[company - 1]: 67}
                self._replace(key, day, lambda project: make_split(project=project, shares=shares, starts_on=day))
            case ("share", place, sharing):
                if Provider.objects.filter(pk=self.providers[place].pk).update(keyless_sharing=sharing):
                    self.providers[place].refresh_from_db()
                    notify_sharing_changed(self.providers[place])
            case ("close",):
                with suppress(NotClosableError):
                    close_month(month=date(2026, 10, 1), now=NOW)
            case ("add up",):
                add_up()
            case ("delete", place):
                if doomed := Provider.objects.filter(pk=self.providers[place].pk).first():
                    disconnect_provider(provider=doomed, now=NOW)
                    delete_provider(provider=doomed, confirmed_name=doomed.name)

    def _replace(self, key: int, day: date, make: Callable[[Project], object]) -> None:
        if project := Project.objects.filter(pk=self.keys[key].pk).first():
            project.assignments.filter(starts_on=day).delete()
            make(project)


@tried_by_both(25)
@given(taken=st.lists(steps, min_size=2, max_size=8))
def test_sums_are_those_of_the_usage_after_anything(db: None, taken: list[Step]) -> None:
    """Readings, assignments, splits, settings, closing and deleting; and deriving all anew finds nothing else."""
    leftovers: tuple[Any, ...] = (UsagePart, DailyUsage, *SUMS, *TOTALS, Provider, Company, ChangedSpan)
    for model in leftovers:
        model.objects.all().delete()
    world = World()

    for step in taken:
        world.take(step)

    for model in SUMS:
        assert stored(model) == expected(model)
    assert [verify(provider) for provider in Provider.objects.all()] == [[]] * Provider.objects.count()
    read = companies_by_all_spans()
    assert read["day"] == totals_by(usage_by_key(), "day", "company_id")
    assert read["day and model"] == totals_by(usage_by_key(), "day", "company_id", "model")
    add_up()
    assert companies_by_all_spans() == read
    assert verify_all_totals() == []


def companies_by_all_spans() -> dict[str, dict[tuple[Any, ...], Totals]]:
    """What pages read of companies: by day, and in the largest spans that the fourteen days have."""
    fourteen = all_usage().between(DAYS[0], DAYS[-1])
    of_month = all_usage().between(date(2026, 10, 1), date(2026, 10, 31))
    return {
        "day": totals_by(all_usage(), "day", "company_id"),
        "day and model": totals_by(all_usage(), "day", "company_id", "model"),
        "week and model": totals_by(fourteen, "company_id", "model"),
        "model": totals_by(of_month.filter(model="tts"), "company_id"),
        "week": totals_by(fourteen, "company_id"),
        "month": totals_by(of_month, "company_id"),
        "all": totals_by(all_usage(), "company_id"),
    }


# --- Verifying --------------------------------------------------------------------------------------------------------


@pytest.fixture
def provider() -> Provider:
    """A key that Acme paid for two weeks, half of it Globex's since the second one."""
    provider, acme = make_provider(name="Production"), make_company(name="Acme")
    key = make_project(provider=provider)
    make_assignment(project=key, company=acme)
    make_split(project=key, shares={acme: 50, make_company(name="Globex"): 50}, starts_on=DAYS[7])
    write(provider, *(Usage(key.pk, day, "tts", Decimal(7), None, 1, Decimal(3), "usd") for day in DAYS))
    return provider


def everything() -> list[Any]:
    return [sorted(map(repr, AttributedUsage.objects.values_list())), *map(stored, SUMS)]


@pytest.mark.parametrize("model", SUMS)
@pytest.mark.parametrize("span", Span)
def test_error_in_a_sum_is_found_and_repaired(provider: Provider, model: Any, span: Span) -> None:
    """A figure that is another one, in any table and of any span."""
    before = everything()
    planted = model.objects.of_span(span).order_by("day").first()
    if planted is None:
        assert span not in model.SPANS
        return
    model.objects.filter(pk=planted.pk).update(cost=planted.cost + 1)

    (found,) = verify(provider)

    assert (found.rows, found.first, found.last) == (2, planted.day, planted.day)
    assert everything() == before


@pytest.mark.parametrize("model", SUMS)
def test_sum_that_is_missing_or_twice_is_found(provider: Provider, model: Any) -> None:
    """By the number of rows, too."""
    before = everything()
    twice, missing = model.objects.order_by("pk")[:2]
    missing.delete()
    twice.pk = None
    twice.save(force_insert=True)

    (found,) = verify(provider)

    assert found.rows == 2
    assert everything() == before


def test_row_that_the_wrong_company_pays_is_found_and_repaired(provider: Provider) -> None:
    """And the part of a split row."""
    before = everything()
    globex = Company.objects.get(name="Globex")
    DailyUsage.objects.filter(day=DAYS[0]).update(company=globex)
    UsagePart.objects.filter(day=DAYS[7], company=globex).update(cost=Decimal(1))

    (found,) = verify(provider)

    assert (found.what, found.rows, found.first, found.last) == ("attributed usage", 4, DAYS[0], DAYS[7])
    assert everything() == before


def test_command_says_what_differed(provider: Provider) -> None:
    """With exit code 1; the next time there is nothing."""
    CompanySum.objects.of_span(Span.MONTH).order_by("day")[0:1].get().delete()
    out = StringIO()

    with pytest.raises(CommandError, match="1 provider of 1 had sums that differed") as refused:
        call_command("verify_totals", stdout=out)
    call_command("verify_totals", provider="Production", stdout=out)

    assert refused.value.returncode == 1
    assert out.getvalue().splitlines() == [
        "Production: 1 row of company sum differed, on 2026-10-01.",
        "All providers together: nothing differs.",
        "Production: nothing differs.",
    ]


# --- What a change touches --------------------------------------------------------------------------------------------


def test_small_change_makes_few_sums_anew(provider: Provider) -> None:
    """Its day, week and month; those of keys and days beside it stay the rows that they were."""
    other = make_project(provider=provider)
    write_usage(
        provider=provider,
        first=DAYS[0],
        last=DAYS[0],
        read_at=NOW,
        accept_implausible=True,
        rows=[
            Usage(key.pk, DAYS[0], "tts", Decimal(7), None, 1, Decimal(3), "usd")
            for key in Project.objects.for_provider(provider)
        ],
    )
    before = {model: set(model.objects.values_list("pk", flat=True)) for model in SUMS}

    changed = Usage(other.pk, DAYS[0], "tts", Decimal(8), None, 1, Decimal(3), "usd")
    same = Usage(
        provider.projects.exclude(pk=other.pk).get().pk, DAYS[0], "tts", Decimal(7), None, 1, Decimal(3), "usd"
    )
    write_usage(provider=provider, first=DAYS[0], last=DAYS[0], rows=[changed, same], read_at=NOW)

    new = {model: set(model.objects.values_list("pk", flat=True)) - before[model] for model in SUMS}
    assert {model: len(rows) for model, rows in new.items()} == {CompanySum: 7, ModelSum: 3, KeySum: 2}
    assert set(KeySum.objects.filter(pk__in=new[KeySum]).values_list("project", flat=True)) == {other.pk}


def test_part_whose_usage_is_gone_is_found_and_removed(provider: Provider) -> None:
    """Of a backup that was restored in part, say: nothing was used, and nobody pays."""
    DailyUsage.objects.all().delete()
    assert UsagePart.objects.exists()

    found = verify(provider)

    assert "attributed usage" in {difference.what for difference in found}
    assert not UsagePart.objects.exists()
    assert not AttributedUsage.objects.exists()

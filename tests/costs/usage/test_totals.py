"""Totals over all providers or companies: what is read is exact before they are made, meanwhile and afterwards."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from core.days import DateRange
from costs.models import (
    TOTALS,
    ChangedSpan,
    CompanyModelTotal,
    CompanyTotal,
    KeySum,
    ModelTotal,
    ProviderTotal,
    Span,
    Total,
)
from costs.reports.totals import all_usage, sums_by, totals_by
from costs.tasks import add_up_companies
from costs.usage import totals
from costs.usage.sums import mark_changed
from costs.usage.totals import add_up
from costs.usage.verifying import verify, verify_all_totals
from providers.models import Company, Project
from providers.services.assigning import assign_projects
from providers.services.companies import delete_company
from providers.services.managing import delete_provider, disconnect_provider
from tests.factories import NOW, derive, make_assignment, make_company, make_project, make_provider, make_usage

pytestmark = pytest.mark.django_db

OCTOBER = DateRange(date(2026, 10, 1), date(2026, 10, 31))
DAY = date(2026, 10, 7)
on_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="On SQLite one transaction writes.")


@pytest.fixture
def acme() -> Company:
    return make_company(name="Acme")


@pytest.fixture
def keys(acme: Company) -> list[Project]:
    """One in each of three workspaces, all of which Acme pays for: 1 $, 2 $ and 4 $ on a day in October."""
    made = [make_project(provider=make_provider(name=f"Workspace {number}")) for number in range(3)]
    for number, key in enumerate(made):
        make_assignment(project=key, company=acme)
        make_usage(project=key, day=DAY, cost=Decimal(2**number))
    return made


def read(days: DateRange = OCTOBER) -> dict[str, Decimal]:
    """What each company cost, as pages read it."""
    names = {company.pk: company.name for company in Company.objects.all()}
    found = sums_by(all_usage().between(days.first, days.last), "company_id")
    return {names.get(pk or 0, "nobody"): sums.cost_in("usd") for pk, sums in found.items()}


def test_totals_stand_for_the_sums_of_all_providers(acme: Company, keys: list[Project]) -> None:
    """Of each span one row in place of three; and there is nothing more to do."""
    before = read()
    add_up_companies()

    found = CompanyTotal.objects.order_by("span").values_list("span", "day", "company", "cost")
    assert list(found) == [
        (span, day, acme.pk, Decimal(7))
        for span, day in zip(Span, (DAY, date(2026, 10, 5), date(2026, 10, 1)), strict=True)
    ]
    assert read() == before == {"Acme": Decimal(7)}
    assert (ChangedSpan.objects.count(), add_up()) == (0, 0)


def test_they_are_what_is_read(keys: list[Project]) -> None:
    """Not the sums by provider beside them."""
    add_up()
    CompanyTotal.objects.update(cost=Decimal(100))

    assert read() == read(DateRange(DAY, DAY)) == {"Acme": Decimal(100)}


def test_models_and_providers_have_totals_of_their_own(keys: list[Project]) -> None:
    """Of a model over all providers, of a provider over all companies; they are read as soon as they are made."""
    make_usage(project=keys[2], day=DAY, model="other", cost=Decimal(8))
    make_assignment(project=keys[2], company=make_company(), starts_on=DAY + timedelta(days=1))
    make_usage(project=keys[2], day=DAY + timedelta(days=1), model="other", cost=Decimal(16))
    usage = all_usage().between(OCTOBER.first, OCTOBER.last)

    def by(field: str) -> dict[object, Decimal]:
        return {value: found.cost_in("usd") for value, found in sums_by(usage, field).items()}

    before = by("model"), by("provider_id")
    add_up()

    assert (by("model"), by("provider_id")) == before
    assert sorted(before[0].values()) == [7, 24]
    assert before[1] == {key.provider_id: cost for key, cost in zip(keys, (1, 2, 28), strict=True)}
    assert (ModelTotal.objects.of_span(Span.MONTH).count(), ProviderTotal.objects.of_span(Span.MONTH).count()) == (2, 3)
    ModelTotal.objects.update(cost=Decimal(3))
    ProviderTotal.objects.update(cost=Decimal(5))
    assert (set(by("model").values()), set(by("provider_id").values())) == ({Decimal(3)}, {Decimal(5)})


def test_provider_that_is_gone_is_no_row(keys: list[Project]) -> None:
    """Neither before its totals are gone nor afterwards."""
    add_up()
    provider = keys[2].provider
    disconnect_provider(provider=provider, now=NOW)
    delete_provider(provider=provider, confirmed_name=provider.name)

    for _turn in range(2):
        assert set(sums_by(all_usage(), "provider_id")) == {key.provider_id for key in keys[:2]}
        add_up()
    assert not ProviderTotal.objects.filter(provider=provider.pk).exists()


def test_what_changes_afterwards_counts_at_once(acme: Company, keys: list[Project]) -> None:
    """Usage, and who pays for it; other days keep their totals."""
    make_usage(project=keys[2], day=DAY - timedelta(days=20), cost=Decimal(16))
    add_up()
    make_usage(project=keys[0], day=DAY, model="other", cost=Decimal(32))
    assert read() == {"Acme": Decimal(39)}

    assign_projects(projects=[keys[1]], company=make_company(name="Globex"), starts_on=None, now=NOW)

    assert read() == read(DateRange(DAY, DAY)) == {"Acme": Decimal(37), "Globex": Decimal(2)}
    marked = set(ChangedSpan.objects.values_list("span", "day"))
    assert marked == {(Span.DAY, DAY), (Span.WEEK, date(2026, 10, 5)), (Span.MONTH, date(2026, 10, 1))}
    assert add_up() == 3
    assert read() == {"Acme": Decimal(37), "Globex": Decimal(2)}


def test_provider_that_is_deleted_takes_its_part_along(keys: list[Project]) -> None:
    add_up()
    provider = keys[2].provider
    disconnect_provider(provider=provider, now=NOW)
    delete_provider(provider=provider, confirmed_name=provider.name)

    assert read() == {"Acme": Decimal(3)}
    add_up()
    assert read() == {"Acme": Decimal(3)}


def test_company_may_go_before_its_totals_do(acme: Company, keys: list[Project]) -> None:
    """What it paid belongs to others by then, and is read as theirs."""
    add_up()
    assign_projects(projects=keys, company=make_company(name="Globex"), starts_on=None, now=NOW)
    delete_company(company=acme)

    assert read() == {"Globex": Decimal(7)}
    add_up()
    assert not CompanyTotal.objects.filter(company=acme.pk).exists()


def test_totals_may_pass_what_a_column_holds(acme: Company, keys: list[Project]) -> None:
    """Such figures stand beside one another, and add up when they are read."""
    largest = Decimal(9 * 10**8)
    for key in keys:
        make_usage(project=key, day=DAY, model="dear", cost=largest)
    expected = {"Acme": largest * 3 + 7}
    assert read() == expected

    add_up()

    assert CompanyTotal.objects.of_span(Span.MONTH).count() == 3 + 1
    assert read() == expected
    assert verify_all_totals() == []


# --- Several at once --------------------------------------------------------------------------------------------------


def in_another_connection(act: Any) -> None:
    def work() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_change_that_commits_meanwhile_is_still_marked(keys: list[Project]) -> None:
    """Totals are made while a sync has written and not committed: they hold what was, and what it wrote counts."""
    add_up()
    with transaction.atomic():
        make_usage(project=keys[0], day=DAY, model="late", cost=Decimal(8))
        in_another_connection(add_up)

    assert read() == {"Acme": Decimal(15)}
    add_up()
    assert read() == {"Acme": Decimal(15)}


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_change_between_the_marks_and_the_totals_keeps_its_mark(
    keys: list[Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The totals may then hold it or not: it is read from the sums."""
    insert = totals._insert

    def interrupted(*arguments: Any) -> None:
        monkeypatch.undo()
        in_another_connection(lambda: make_usage(project=keys[0], day=DAY, model="late", cost=Decimal(8)))
        insert(*arguments)

    monkeypatch.setattr(totals, "_insert", interrupted)
    add_up()

    assert ChangedSpan.objects.filter(day=DAY).exists()
    assert read() == {"Acme": Decimal(15)}
    add_up()
    assert read() == {"Acme": Decimal(15)}
    assert verify_all_totals() == []


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_one_at_a_time_makes_totals(keys: list[Project]) -> None:
    """Who comes second leaves it to the first."""
    second: list[int] = []
    with transaction.atomic():
        assert add_up() == 3
        in_another_connection(lambda: derive([keys[0].pk]))
        in_another_connection(lambda: second.append(add_up()))

    assert second == [0]
    assert read() == {"Acme": Decimal(7)}
    assert add_up() == 3
    assert CompanyTotal.objects.count() == 3


# --- Verifying --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("total", TOTALS)
@pytest.mark.parametrize("span", Span)
def test_wrong_total_is_found_and_repaired(keys: list[Project], span: Span, total: type[Total]) -> None:
    """And one that stands for nothing, and one that lacks."""
    add_up()
    total.objects.filter(pk=total.objects.of_span(span)[0].pk).update(cost=Decimal(1000))
    out = StringIO()

    with pytest.raises(CommandError, match="What is added up over all providers differed"):
        call_command("verify_totals", stdout=out)

    assert f"All providers together: 2 rows of {total._meta.verbose_name} differed" in out.getvalue()
    assert verify_all_totals() == []
    assert read() == {"Acme": Decimal(7)}


def test_total_that_is_missing_or_of_nothing_is_found(keys: list[Project], acme: Company) -> None:
    add_up()
    CompanyTotal.objects.of_span(Span.DAY).delete()
    CompanyTotal.objects.create(span=Span.MONTH, day=date(2020, 1, 1), company=acme, currency="usd", cost=Decimal(1))

    assert [(found.rows, found.first, found.last) for found in verify_all_totals()] == [(2, date(2020, 1, 1), DAY)]
    assert verify_all_totals() == []


def test_what_waits_to_be_added_up_is_no_difference(keys: list[Project]) -> None:
    assert ChangedSpan.objects.exists()
    assert verify_all_totals() == []


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_what_is_connected_meanwhile_is_no_difference(keys: list[Project], acme: Company) -> None:
    """Its usage is written between the comparisons of two tables."""
    add_up()
    statements: list[str] = []

    def connect(execute: Any, sql: str, *rest: Any) -> Any:
        statements.append(sql)
        if len(statements) == 2:
            in_another_connection(connect_and_write)
        return execute(sql, *rest)

    def connect_and_write() -> None:
        key = make_project(provider=make_provider(name="New"))
        make_assignment(project=key, company=acme)
        make_usage(project=key, day=DAY, cost=Decimal(8))

    with connection.execute_wrapper(connect):
        assert verify_all_totals() == []

    assert read() == {"Acme": Decimal(15)}


def test_verifying_writes_nothing_where_nothing_differs(keys: list[Project]) -> None:
    add_up()
    before = list(CompanyTotal.objects.order_by("pk").values_list("pk", flat=True))

    assert verify_all_totals() == []

    assert list(CompanyTotal.objects.order_by("pk").values_list("pk", flat=True)) == before
    assert not ChangedSpan.objects.exists()


def test_sum_of_nothing_is_taken_out_of_the_totals_as_well(keys: list[Project]) -> None:
    """One that verifying a provider removes, in a month of which there is no other."""
    stray = KeySum.objects.of_span(Span.MONTH)[0]
    stray.pk, stray.day = None, date(2024, 5, 1)
    stray.save(force_insert=True)
    mark_changed([(Span.MONTH, stray.day)])
    add_up()
    assert CompanyModelTotal.objects.filter(day=stray.day).exists()

    assert [found.what for found in verify(keys[0].provider) + verify(keys[1].provider) + verify(keys[2].provider)] == [
        "key sum"
    ]

    may = all_usage().between(date(2024, 5, 1), date(2024, 5, 31))
    assert totals_by(may, "company_id", "model") == {}

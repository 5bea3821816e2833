"""What an adjustment names as its cause: to the agency by key and company, to the client without either."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from costs.models import StatementLine
from costs.statements.adjustments import closed_months, pending_adjustments
from providers.models import Company, Project
from providers.services.assigning import assign_projects, split_projects, undo_assignment
from tests.costs.worlds import LATER, OCTOBER, SEPTEMBER, close, make_acme, make_key, make_settled, path_of, restate
from tests.factories import NOW, TODAY, make_company, make_restatement, make_usage

pytestmark = pytest.mark.django_db

HOUR = LATER + timedelta(hours=1)


def reasons() -> dict[str, tuple[str, str]]:
    """What each company's adjustment says to the agency, and to the company."""
    lines = pending_adjustments(closed_months(), with_reasons=True)
    return {Company.objects.get(pk=pk).name: (line.reason, line.client_reason) for pk, line in lines}


def make_closed(**overrides: str) -> Project:
    """A key of Acme with a dollar on the first and the twelfth of October, which is closed."""
    provider = make_settled(OCTOBER, TODAY)
    key = make_key(make_company(name="Acme"), provider=provider, **{"name": "support-de", "hint": "a91f"} | overrides)
    make_usage(project=key, day=OCTOBER, cost=Decimal(1))
    make_usage(project=key, day=date(2026, 10, 12), cost=Decimal(1))
    close(OCTOBER, now=LATER)
    return key


def assign(key: Project, company: Company | None, starts_on: date | None, now: datetime = HOUR) -> None:
    assign_projects(projects=[key], company=company, starts_on=starts_on, now=now)


def test_reassigned_key_is_named_with_its_payer_and_its_days() -> None:
    """Who lost it and who got it read the same days; a client learns of no key's name and no other client."""
    key = make_closed()

    assign(key, make_company(name="Bluebird"), date(2026, 10, 10))

    named = "support-de → Bluebird, 10–31 Oct"
    assert reasons() == {
        "Acme": (named, "An API key no longer assigned, 10–31 Oct"),
        "Bluebird": (named, "An API key → Bluebird, 10–31 Oct"),
    }


def test_label_of_a_key_is_told_to_clients() -> None:
    """It was given for them to read."""
    key = make_closed(label="Support line")

    assign(key, make_company(name="Bluebird"), date(2026, 10, 10))

    assert reasons()["Bluebird"] == ("Support line → Bluebird, 10–31 Oct",) * 2


def test_split_key_names_each_part() -> None:
    """With the percentages to the agency, and the own one to a client."""
    key = make_closed()
    shares = {Company.objects.get(): Decimal(60), make_company(name="Bluebird"): Decimal(40)}

    split_projects(projects=[key], shares=shares, starts_on=None, now=HOUR)

    assert reasons()["Bluebird"] == (
        "support-de → Acme 60 % · Bluebird 40 %, 1–31 Oct",
        "An API key → Bluebird 40 %, 1–31 Oct",
    )


def test_several_changes_are_told_by_what_came_of_them() -> None:
    """A key that went through Globex to Bluebird has gone to Bluebird."""
    key = make_closed()
    bluebird = make_company(name="Bluebird")

    assign(key, make_company(name="Globex"), None)
    assign(key, bluebird, None, now=HOUR + timedelta(hours=1))

    assert {name: reason for name, (reason, _client) in reasons().items()} == {
        "Acme": "support-de → Bluebird, 1–31 Oct",
        "Bluebird": "support-de → Bluebird, 1–31 Oct",
    }


def test_undone_assignment_of_before_is_a_cause_too() -> None:
    """The key went back to whom it had belonged to."""
    key = make_key(make_company(name="Acme"), provider=make_settled(OCTOBER, TODAY), name="support-de")
    make_usage(project=key, day=OCTOBER, cost=Decimal(1))
    bluebird = make_company(name="Bluebird")
    change = assign_projects(projects=[key], company=bluebird, starts_on=None, now=LATER - timedelta(days=1))
    close(OCTOBER, now=LATER)

    undo_assignment(change=change, now=HOUR)

    assert reasons()["Bluebird"] == ("support-de → Acme, 1–31 Oct", "An API key no longer assigned, 1–31 Oct")


def test_restated_and_late_priced_days_are_named() -> None:
    """Each with its days, of the company that pays the key."""
    key = make_closed()
    for day, before in ((OCTOBER, Decimal(1)), (date(2026, 10, 12), None)):
        make_restatement(project=key, day=day, restated_at=HOUR, cost_before=before, cost_after=Decimal(3))
    restate(key.usage.get(day=OCTOBER), Decimal(3))

    assert reasons()["Acme"] == (
        "support-de priced late, 12 Oct; support-de restated, 1 Oct",
        "An API key priced late, 12 Oct; An API key restated, 1 Oct",
    )


def test_key_that_was_not_used_is_no_cause() -> None:
    """Of many that were moved together those are named whose money moved."""
    key = make_closed()
    idle = make_key(Company.objects.get(), provider=key.provider, name="idle")

    assign_projects(projects=[key, idle], company=make_company(name="Bluebird"), starts_on=None, now=HOUR)

    assert "idle" not in reasons()["Bluebird"][0]


def test_of_many_causes_five_are_named() -> None:
    """And the others counted."""
    key = make_closed()
    keys = [key]
    for number in range(7):
        other = make_key(Company.objects.get(), provider=key.provider, name=f"key {number}")
        make_usage(project=other, day=OCTOBER, cost=Decimal(1))
        keys.append(other)

    assign_projects(projects=keys, company=make_company(name="Bluebird"), starts_on=None, now=HOUR)

    assert reasons()["Bluebird"][0].count("→") == 5
    assert reasons()["Bluebird"][0].endswith("; and 3 more")


def test_cause_is_frozen_with_the_statement_that_carries_it() -> None:
    """Whatever is renamed later."""
    provider = make_settled(SEPTEMBER, date(2026, 12, 10))
    key = make_key(make_company(name="Acme"), provider=provider, name="support-de")
    make_usage(project=key, day=SEPTEMBER, cost=Decimal(1))
    close(SEPTEMBER, now=LATER)
    assign(key, make_company(name="Bluebird"), date(2026, 9, 1))

    close(OCTOBER, now=HOUR + timedelta(days=1))
    Project.objects.update(name="renamed")

    frozen = set(StatementLine.objects.adjustments().values_list("reason", flat=True))
    assert frozen == {"support-de → Bluebird, 1–30 Sep"}


def test_many_causes_of_an_adjustment_cost_no_more_queries(
    signed_in: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """A key that was assigned anew, one that was restated, and an estimate whose rate was changed."""
    acme, key = make_acme()
    keys = [key, *(make_key(acme, provider=key.provider) for _ in range(3))]
    for each in keys:
        make_usage(project=each, day=SEPTEMBER, estimated=True)
        make_usage(project=each, day=OCTOBER)
    close(SEPTEMBER)
    later = NOW + timedelta(hours=1)
    for each in keys[:2]:
        restate(each.usage.earliest("day"), Decimal(7))
        make_restatement(project=each, day=SEPTEMBER, restated_at=later)
    assign_projects(projects=keys[1:], company=make_company(name="Bluebird"), starts_on=None, now=later)

    for path in ("/statements/2026-10/", "/statements/2026-10/close/", path_of(acme, "2026-10")):
        with django_assert_max_num_queries(15):
            signed_in.get(path)

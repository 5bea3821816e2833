"""Usage without an API key: unassigned, shared by the provider's setting, or assigned by hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from providers.models import BEGINNING, Provider
from providers.signals import notify_sharing_changed
from tests.costs.usage.attributing import costs_of, owners, usage, write
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


def test_days_before_a_split_of_keyless_usage_are_shared_when_they_are_read_again() -> None:
    """The period that is split begins later: until then the provider's setting says who pays."""
    provider = make_provider(keyless_sharing=SHARING.EVENLY)
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    for company in (acme, globex):
        key = make_project(provider=provider, first_used_on=TODAY - timedelta(days=9))
        make_assignment(project=key, company=company)
    keyless = make_keyless(provider=provider)
    make_split(project=keyless, shares={acme: 75, globex: 25}, starts_on=TODAY)

    for cost in (2, 4):
        write(provider, [usage(keyless, TODAY - timedelta(days=1), cost=Decimal(cost))], days=2)

    assert costs_of(keyless) == {"Acme": 2, "Globex": 2}

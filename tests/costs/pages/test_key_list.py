"""The list of API keys: every workspace's, found by what is typed, filtered by the address."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role
from providers.models import Assignment, Company, Project
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_split,
    make_usage,
    make_user,
)
from tests.pages import download, page_of


@pytest.fixture
def acme(db: None) -> Company:
    return make_company(name="Acme")


@pytest.fixture
def keys(acme: Company) -> dict[str, Project]:
    """One of each kind that a filter tells apart, in two workspaces."""
    production, staging = make_provider(name="Production"), make_provider(name="Staging")
    for provider in (production, staging):
        make_read_days(provider=provider, first=TODAY - timedelta(days=30), last=TODAY)
    used = {"last_used_on": TODAY, "first_used_on": TODAY}
    found = {
        "hotline": make_project(provider=production, name="Hotline", hint="a91f", **used),
        "split": make_project(provider=production, name="Split", **used),
        "free": make_project(provider=staging, name="Free", **used),
        "disabled": make_project(provider=staging, name="Disabled", disabled_at=NOW, **used),
        "deleted": make_project(provider=staging, name="Gone", deleted_at=NOW, **used),
        "idle": make_project(provider=staging, name="Idle"),
        "agent": make_project(provider=staging, name="Receptionist", kind=Project.Kind.AGENT, tags=["vip"], **used),
        "keyless": make_keyless(provider=production),
    }
    make_assignment(project=found["hotline"], company=acme)
    make_split(project=found["split"], shares={acme: 60, make_company(name="Globex"): 40})
    for name in ("disabled", "deleted", "idle", "agent", "keyless"):
        make_assignment(project=found[name], company=make_company(name=f"Payer of {name}"))
    Assignment.objects.filter(project=found["agent"]).update(source=Assignment.Source.RULE)
    make_usage(project=found["hotline"], cost=Decimal(3))
    make_usage(project=found["free"], cost=Decimal(1))
    return found


def listed(client: Client, query: str) -> set[str]:
    return {row["API key"] for row in download(client, f"/keys/?{query}&csv=keys")}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=hot", {"Hotline"}),
        ("q=A91F", {"Hotline"}),
        ("q=acme", {"Hotline", "Split"}),
        ("q=staging+free", {"Free"}),
        ("q=VIP", {"Receptionist"}),
        ("unassigned=yes", {"Free"}),
        ("split=yes", {"Split"}),
        ("by_rule=yes", {"Receptionist"}),
        ("unused=yes", {"Idle", "No API key (web app)"}),
        ("disabled=yes", {"Disabled"}),
        ("deleted=yes", {"Gone"}),
        ("kind=agent", {"Receptionist"}),
        ("kind=keyless", {"No API key (web app)"}),
        ("q=split&disabled=yes", set()),
    ],
)
def test_only_keys_that_fit_are_listed(
    signed_in: Client, keys: dict[str, Project], query: str, names: set[str]
) -> None:
    """By what is typed and by every filter, in any combination."""
    assert listed(signed_in, query) == names


def test_a_workspace_and_a_company_filter_by_their_ids(
    signed_in: Client, keys: dict[str, Project], acme: Company
) -> None:
    """A split key belongs to each of its payers."""
    provider = keys["hotline"].provider

    assert listed(signed_in, f"company={acme.pk}") == {"Hotline", "Split"}
    assert listed(signed_in, f"provider={provider.pk}") == {"Hotline", "Split", "No API key (web app)"}


def test_what_a_filter_cannot_mean_is_left_out(signed_in: Client, keys: dict[str, Project]) -> None:
    """Like any other value of an address that is unknown."""
    assert len(listed(signed_in, "kind=nonsense&company=x&provider=%00&split=perhaps")) == len(keys)


def test_each_filter_is_a_chip_that_takes_it_off(signed_in: Client, keys: dict[str, Project]) -> None:
    """And nothing else of the address."""
    page = signed_in.get("/keys/?q=hot&split=yes&sort=name").content.decode()

    assert '<a class="chip" href="/keys/?split=yes&amp;sort=name">' in page
    assert '<a class="chip" href="/keys/?q=hot&amp;sort=name">' in page
    assert '<a class="chip chip--quiet" href="/keys/?sort=name">Clear filters</a>' in page
    assert "No rows match." in page


def test_columns_are_chosen_in_the_address(signed_in: Client, keys: dict[str, Project]) -> None:
    """The file has the same."""
    rows = download(signed_in, "/keys/?q=hotline&column=share&column=hint&csv=keys")

    assert rows == [{"API key": "Hotline", "Company": "Acme", "Share (%)": "75", "Hint": "··a91f"}]


def test_spend_adds_up_to_the_total_of_what_fits(signed_in: Client, keys: dict[str, Project]) -> None:
    """Whatever page of it is drawn."""
    page = page_of(signed_in, "/keys/")

    assert "Total of 8" in page
    assert "$4.00" in page[page.index("Total of 8") :]


def test_three_hundred_keys_are_a_light_page(
    signed_in: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """50 rows of them, in 15 queries, with 60 companies to choose from."""
    provider = make_provider()
    Project.objects.bulk_create(
        Project(provider=provider, external_id=f"{number:064x}", name=f"Key {number}") for number in range(300)
    )
    Company.objects.bulk_create(Company(name=f"Client {number}") for number in range(60))

    with django_assert_max_num_queries(15):
        page = signed_in.get("/keys/").content.decode()

    assert "1–50 of 300" in page
    assert page.count('id="key-') == 50 + page.count('id="key-search"') + page.count('id="key-company"')
    assert page.count("<") / 2 < 3000


def test_all_that_match_are_assigned(signed_in: Client, keys: dict[str, Project]) -> None:
    """Those on no page too, and none besides."""
    Project.objects.bulk_create(
        Project(provider=keys["free"].provider, external_id=f"{number:064x}", name=f"Bulk {number}")
        for number in range(60)
    )

    signed_in.post("/keys/assign/", {"matching": "?q=bulk", "company": "new", "new_company": "Lantern"})

    assert Assignment.objects.filter(shares__company__name="Lantern").count() == 60
    assert listed(signed_in, "q=lantern") == {f"Bulk {number}" for number in range(60)}


def test_keys_of_several_workspaces_are_assigned_at_once(
    signed_in: Client, keys: dict[str, Project], acme: Company
) -> None:
    """The list knows no borders between them."""
    chosen = [keys["free"].pk, keys["hotline"].pk]

    signed_in.post("/keys/assign/", {"projects": chosen, "company": acme.pk})

    assert listed(signed_in, "company=" + str(acme.pk)) == {"Free", "Hotline", "Split"}


def test_company_viewers_never_see_keys(client: Client, keys: dict[str, Project], acme: Company, now: object) -> None:
    """Neither the list nor the page of one that their company pays for."""
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[acme]))

    answers = [client.get(url).status_code for url in ("/keys/", f"/keys/{keys['hotline'].pk}/")]

    assert answers == [404, 404]

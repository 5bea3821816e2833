"""Whose a key is on a day, and how many a company has: the same on every page and in every file.

Random worlds – keys that are disabled, deleted, split, assigned later, of archived companies; usage without a key; an
account that tells totals alone – against a model of ten lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from providers.models import BEGINNING, Assignment, AssignmentShare, Company, Project, Provider
from providers.signals import notify_assignments_changed
from tests.factories import (
    NOW,
    TODAY,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_run,
    make_usage,
)
from tests.pages import download, page_of

pytestmark = pytest.mark.any_engine

STATES: list[dict[str, Any]] = [{}, {}, {"disabled_at": NOW}, {"deleted_at": NOW}]
STARTS = [BEGINNING, *(TODAY + timedelta(days=days) for days in (-30, -1, 0, 1))]
PERCENTS = [(), (100,), ("33.33", "66.67")]
KEYS, COMPANIES, PROJECTS = 5, 3, 9

# What begins when for a project, and who pays how much: (project, first day) → companies' numbers and percents.
Plan = dict[tuple[int, date], tuple[list[int], tuple[Any, ...]]]

plans = st.dictionaries(
    st.tuples(st.integers(0, PROJECTS - 1), st.sampled_from(STARTS)),
    st.tuples(st.permutations(range(COMPANIES)), st.sampled_from(PERCENTS)),
    max_size=18,
)
same_worlds = settings(
    max_examples=12,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass
class World:
    """Two workspaces with keys and keyless usage, and one of account totals; each project has used something today."""

    plan: Plan
    states: list[dict[str, Any]]
    archived: int
    providers: list[Provider] = field(default_factory=list)
    projects: list[Project] = field(default_factory=list)
    companies: list[Company] = field(default_factory=list)

    def __post_init__(self) -> None:
        for leftover in (Provider, Company):
            leftover.objects.all().delete()
        totals = Provider.Source.ACCOUNT_TOTALS
        self.providers = [make_provider(), make_provider(), make_provider(source=totals)]
        self.companies = [
            make_company(archived_at=NOW if number == self.archived else None) for number in range(COMPANIES)
        ]
        one, two, account = self.providers
        self.projects = [
            make_project(provider=(one, two)[number % 2], **state) for number, state in enumerate(self.states)
        ]
        self.projects += [make_keyless(provider=one), make_keyless(provider=two), make_project(provider=account)]
        self.projects += [make_project(provider=account, external_id=Project.ACCOUNT_ID, kind=Project.Kind.ACCOUNT)]
        for (number, starts_on), (order, percents) in self.plan.items():
            period = Assignment.objects.create(project=self.projects[number], starts_on=starts_on)
            for index, percent in zip(order, percents, strict=False):
                company = self.companies[index]
                AssignmentShare.objects.create(assignment=period, company=company, percent=Decimal(percent))
        for project in self.projects:
            make_usage(project=project, day=TODAY)
        for provider in self.providers:
            make_run(provider=provider, trigger="connect", outcome="succeeded", finished_at=NOW)
        notify_assignments_changed([project.pk for project in self.projects])

    def payers(self, number: int) -> set[str]:
        """The names of who pays for a project today, by the plan alone."""
        begun = [day for project, day in self.plan if project == number and day <= TODAY]
        order, percents = self.plan[number, max(begun)] if begun else ([], ())
        return {self.companies[index].name for index, _percent in zip(order, percents, strict=False)}

    def count(self, name: str, provider: Provider | None = None) -> int:
        """How many API keys a company has today, or "Unassigned": of those that are there."""
        return sum(
            name in (self.payers(number) or {"Unassigned"})
            for number, state in enumerate(self.states)
            if "deleted_at" not in state and provider in (None, self.projects[number].provider)
        )


worlds = st.builds(
    World,
    plan=plans,
    states=st.lists(st.sampled_from(STATES), min_size=KEYS, max_size=KEYS),
    archived=st.integers(0, COMPANIES),
)


def number_in(page: str, pattern: str) -> int:
    """The number that a page tells; what it does not tell is 0."""
    found = re.search(pattern, page)
    return int(found[1]) if found else 0


def by_name(rows: list[dict[str, str]], name: str, figure: str) -> dict[str, str]:
    return {row[name]: row[figure] for row in rows}


@same_worlds
@given(world=worlds)
def test_every_page_and_file_counts_the_same_keys_of_a_company(signed_in: Client, world: World) -> None:
    """The dashboard, the list, the company's page and its edit page; of one provider as well as of all."""
    for provider in (None, *world.providers[:2]):
        query = f"&provider={provider.pk}" if provider else ""
        dashboard = by_name(download(signed_in, f"/?csv=companies{query}"), "Company", "API keys today")
        companies = by_name(
            download(signed_in, f"/companies/?csv=companies&show=all{query}"), "Company", "API keys today"
        )
        expected = {name: str(world.count(name, provider)) for name in companies}
        assert companies == expected
        assert dashboard == {name: expected[name] for name in dashboard}
        assert "Unassigned" in dashboard

    for company in world.companies:
        told = [
            number_in(page_of(signed_in, company.get_absolute_url()), r"(\d+) API keys? today"),
            number_in(page_of(signed_in, f"/companies/{company.pk}/edit/"), r"(\d+) API keys? today"),
        ]
        assert told == [world.count(company.name)] * 2


@same_worlds
@given(world=worlds)
def test_every_page_and_file_counts_the_same_unassigned_keys(signed_in: Client, world: World) -> None:
    """The list of providers and each provider's page, its banner and filter; the dashboard's sum of them."""
    listed = by_name(download(signed_in, "/providers/?csv=providers"), "Name", "Unassigned keys")
    expected = {provider.name: str(world.count("Unassigned", provider)) for provider in world.providers}
    whole = number_in(page_of(signed_in, "/"), r"(\d+) of \d+ API keys? ·")

    assert listed == expected
    assert whole == world.count("Unassigned")
    for provider in world.providers:
        page = page_of(signed_in, provider.get_absolute_url())
        assert number_in(page, r"Unassigned \((\d+)\)") == int(expected[provider.name])
        assert number_in(page, r"finished\. Assign (\d+) API keys? to companies") == int(expected[provider.name])


@same_worlds
@given(world=worlds)
def test_every_page_and_file_names_the_same_payers(signed_in: Client, world: World) -> None:
    """The provider's keys, the companies' assignments, and what today's usage is attributed to."""
    shown: dict[tuple[str, str], set[str]] = {}
    for provider in world.providers:
        for row in download(signed_in, f"{provider.get_absolute_url()}?csv=keys"):
            payers = {re.sub(r" [\d.]+ %$", "", payer) for payer in row["Company"].split(" · ")}
            shown[provider.name, row["API key"]] = payers - {"Unassigned"}
    used: dict[tuple[str, str], set[str]] = {}
    for row in download(signed_in, f"/exports/usage.csv?from={TODAY}&to={TODAY}"):
        used.setdefault((row["provider"], row["project"]), set()).update({row["company"]} - {""})

    expected = {
        (project.provider.name, project.display_name): world.payers(number)
        for number, project in enumerate(world.projects)
    }
    assert used == expected
    assert shown == expected
    for company in world.companies:
        paid = {
            (row["Provider"], row["API key"])
            for row in download(signed_in, f"{company.get_absolute_url()}?csv=assignments")
            if row["From"] <= str(TODAY) or row["From"] == "The beginning"
            if row["Until"] == "Now" or row["Until"] >= str(TODAY)
        }
        assert paid == {where for where, payers in expected.items() if company.name in payers}


def test_company_without_any_key_says_so_in_the_same_words(signed_in: Client) -> None:
    """On its page as on its edit page."""
    company = make_company()

    for url in (company.get_absolute_url(), f"/companies/{company.pk}/edit/"):
        assert "0 API keys today" in page_of(signed_in, url)


def test_deleted_keys_are_told_beside_the_number(signed_in: Client) -> None:
    """Where they go with their provider."""
    provider = make_provider()
    for deleted_at in (None, None, NOW):
        make_project(provider=provider, deleted_at=deleted_at)

    assert "its 2 API keys and 1 deleted one, and whose" in page_of(signed_in, f"/providers/{provider.pk}/delete/")

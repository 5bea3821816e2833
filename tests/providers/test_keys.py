"""Which projects are API keys, how many there are of each company, and how that is said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.wording import joined
from providers.keys import count_keys_and_agents
from providers.models import Company, Project, Provider
from providers.wording import chosen_keys, keys_and_agents
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_split,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@pytest.fixture
def acme() -> Company:
    return make_company(name="Acme")


def test_keys_are_counted_by_who_pays_today(acme: Company) -> None:
    """Periods that begin later don't count yet."""
    provider = make_provider()
    assigned, future = make_project(provider=provider), make_project(provider=provider)
    make_assignment(project=assigned, company=acme)
    make_assignment(project=future, company=acme, starts_on=TODAY + timedelta(days=1))

    keys = count_keys_and_agents(TODAY).keys

    assert (keys.by_company, keys.unassigned_by_provider) == ({acme.pk: 1, None: 1}, {provider.pk: 1})


def test_split_key_counts_for_each_company_and_once_in_all(acme: Company) -> None:
    """Whoever pays a part of it has it."""
    other = make_company()
    make_split(project=make_project(), shares={acme: 50, other: 50})

    keys = count_keys_and_agents(TODAY).keys

    assert (keys.by_company, keys.unassigned, keys.total) == ({acme.pk: 1, other.pk: 1}, 0, 1)


@pytest.mark.parametrize("is_assigned", [True, False])
def test_what_is_no_key_or_no_longer_one_counts_nowhere(acme: Company, *, is_assigned: bool) -> None:
    """Deleted keys, used or not; usage without a key; an account's totals, and the keys that it lists."""
    provider = make_provider()
    totals = make_provider(source=Provider.Source.ACCOUNT_TOTALS)
    others = [
        make_project(provider=provider, deleted_at=NOW),
        make_project(provider=provider, deleted_at=NOW, first_used_on=TODAY),
        make_keyless(provider=provider),
        make_project(provider=totals, external_id=Project.ACCOUNT_ID, kind=Project.Kind.ACCOUNT),
        make_project(provider=totals),
    ]
    for project in others if is_assigned else ():
        make_assignment(project=project, company=acme)

    assert count_keys_and_agents(TODAY).keys.total == 0
    assert count_keys_and_agents(TODAY, company=acme).keys.by_company == {}


def test_disabled_keys_count(acme: Company) -> None:
    """They may be enabled again."""
    make_assignment(project=make_project(disabled_at=NOW), company=acme)

    assert count_keys_and_agents(TODAY).keys.by_company == {acme.pk: 1}


def test_keys_of_one_company_are_counted_once_each(acme: Company) -> None:
    """However often it has paid for them."""
    key = make_project()
    for ago in range(3):
        make_assignment(project=key, company=acme, starts_on=TODAY - timedelta(days=ago))

    assert count_keys_and_agents(TODAY, company=acme).keys.by_company == {acme.pk: 1}


def test_presence_is_told_of_each_project_as_the_count_has_it() -> None:
    """The same condition, for pages that show the others as well."""
    provider = make_provider()
    key = make_project(provider=provider)
    make_project(provider=provider, deleted_at=NOW)
    make_keyless(provider=provider)

    told = {project.pk for project in Project.objects.with_presence() if project.is_present_key}  # type: ignore[attr-defined]  # annotated

    assert told == set(Project.objects.present_keys().values_list("pk", flat=True)) == {key.pk}


@pytest.mark.parametrize(
    ("keys", "with_keyless", "words"),
    [(1, False, "1 key"), (3, False, "3 keys"), (0, True, "“No API key (web app)”"),
     (2, True, "2 keys and “No API key (web app)”")],
)  # fmt: skip
def test_what_is_no_key_is_not_called_one(keys: int, with_keyless: bool, words: str) -> None:  # noqa: FBT001
    """It is named instead."""
    provider = make_provider()
    chosen = [make_project(provider=provider) for _ in range(keys)]

    assert chosen_keys([*chosen, *([make_keyless(provider=provider)] if with_keyless else [])]) == words


def test_words_are_joined_as_they_are_said() -> None:
    """With commas, and one "and"."""
    assert [joined(["a"]), joined(["a", "b"]), joined(["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_agents_are_counted_apart_from_keys(acme: Company) -> None:
    """Not deleted and not archived ones."""
    provider = make_provider()
    for fields in ({}, {"deleted_at": NOW}, {"archived_at": NOW}):
        agent = make_project(provider=provider, kind=Project.Kind.AGENT, **fields)
        make_assignment(project=agent, company=acme)

    counts = count_keys_and_agents(TODAY)

    assert (counts.keys.total, counts.agents.total, counts.agents.by_company) == (0, 1, {acme.pk: 1})


@pytest.mark.parametrize(
    ("keys", "agents", "said"), [(0, 0, "0 API keys"), (1, 0, "1 API key"), (3, 2, "3 API keys, 2 agents")]
)
def test_keys_and_agents_are_said_together(keys: int, agents: int, said: str) -> None:
    """Where there are no agents nothing is said of them."""
    assert keys_and_agents(keys, agents) == said


def test_chosen_agents_are_called_agents() -> None:
    """As they are chosen beside keys."""
    provider = make_provider()
    agents = [make_project(provider=provider, kind=Project.Kind.AGENT) for _number in range(2)]

    assert chosen_keys(agents) == "2 agents"
    assert chosen_keys([make_project(provider=provider), *agents]) == "1 key and 2 agents"

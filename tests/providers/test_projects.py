"""Projects follow what the provider lists and what its usage speaks of; none is ever lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from providers.models import Project, Provider
from providers.services.projects import ListedProject, projects_for_usage, record_listed_projects
from tests.factories import NOW, make_project, make_provider

pytestmark = pytest.mark.django_db


def listed(external_id: str = "abc", **overrides: Any) -> ListedProject:
    fields: dict[str, Any] = {"name": "Key", "hint": "a91f", "is_disabled": False, "disabled_reason": ""} | overrides
    return ListedProject(external_id=external_id, **fields)


def record(provider: Provider, *keys: ListedProject, hours: int = 0) -> None:
    record_listed_projects(provider=provider, listed=keys, now=NOW + timedelta(hours=hours))


# --- Listed -----------------------------------------------------------------------------------------------------------


def test_listed_key_becomes_a_project() -> None:
    """Used or not."""
    record(make_provider(), listed())

    project = Project.objects.get()
    assert (project.external_id, project.name, project.hint, project.kind) == ("abc", "Key", "a91f", Project.Kind.KEY)
    assert project.listed_at == NOW


def test_second_listing_updates_the_same_project() -> None:
    """By its id; an own label stays."""
    provider = make_provider()
    record(provider, listed())
    Project.objects.update(label="Ours")

    record(provider, listed(name="New", hint="beef"))

    project = Project.objects.get()
    assert (project.name, project.hint, project.label) == ("New", "beef", "Ours")


def test_unchanged_listing_writes_nothing() -> None:
    """Reading the same again is no change."""
    provider = make_provider()
    record(provider, listed(), listed("def"))

    with CaptureQueriesContext(connection) as queries:
        record(provider, listed(), listed("def"), hours=1)

    assert not [query for query in queries if query["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]


def test_nameless_listing_keeps_the_name_from_usage() -> None:
    """A name that is known is not forgotten."""
    provider = make_provider()
    projects_for_usage(provider=provider, names={"abc": "From usage"})

    record(provider, listed(name=""))

    assert Project.objects.get().name == "From usage"


def test_disabled_key_says_since_when_and_why() -> None:
    """The first moment stays; enabling clears both."""
    provider = make_provider()
    record(provider, listed(is_disabled=True, disabled_reason="self_disabled"))
    record(provider, listed(is_disabled=True, disabled_reason="self_disabled"), hours=1)
    project = Project.objects.get()
    assert (project.disabled_at, project.disabled_reason) == (NOW, "self_disabled")

    record(provider, listed(), hours=2)

    project.refresh_from_db()
    assert (project.disabled_at, project.disabled_reason) == (None, "")


def test_key_that_a_listing_lacks_is_deleted_and_stays() -> None:
    """Its first absence is remembered; its return is no deletion any more."""
    provider = make_provider()
    record(provider, listed(), listed("def"))

    record(provider, listed(), hours=1)
    record(provider, listed(), hours=2)
    gone = Project.objects.get(external_id="def")
    assert gone.deleted_at == NOW + timedelta(hours=1)

    record(provider, listed(), listed("def"), hours=3)
    gone.refresh_from_db()
    assert gone.deleted_at is None


def test_key_known_from_usage_alone_is_not_deleted_by_a_listing() -> None:
    """People's own keys are never listed."""
    provider = make_provider()
    projects_for_usage(provider=provider, names={"own": "Dana's laptop", None: ""})

    record(provider, listed())

    assert Project.objects.filter(deleted_at=None).count() == 3


def test_listing_twice_the_same_key_is_one_project() -> None:
    """The last one counts."""
    record(make_provider(), listed(name="one"), listed(name="two"))

    assert Project.objects.get().name == "two"


def test_providers_do_not_share_projects() -> None:
    """The same id at another provider is another project, and is not deleted with it."""
    one, other = make_provider(), make_provider()
    record(one, listed())
    record(other, listed())

    record(one)

    assert [project.provider for project in Project.objects.exclude(deleted_at=None)] == [one]


# --- From usage -------------------------------------------------------------------------------------------------------


def test_usage_makes_the_projects_it_speaks_of() -> None:
    """With and without a key; the ids are told by key."""
    provider = make_provider()

    ids = projects_for_usage(provider=provider, names={"abc": "Support", None: ""})

    by_id = Project.objects.in_bulk(ids.values())
    assert (by_id[ids["abc"]].external_id, by_id[ids["abc"]].name) == ("abc", "Support")
    assert (by_id[ids[None]].external_id, by_id[ids[None]].kind) == (Project.KEYLESS_ID, Project.Kind.KEYLESS)


def test_usage_finds_known_projects() -> None:
    """No second one is made."""
    provider = make_provider()
    first = projects_for_usage(provider=provider, names={"abc": "Support", None: ""})

    assert projects_for_usage(provider=provider, names={None: "", "abc": "Support"}) == first
    assert Project.objects.count() == 2


def test_usage_renames_what_no_listing_names() -> None:
    """The latest reported name counts, an empty one does not."""
    provider = make_provider()
    projects_for_usage(provider=provider, names={"abc": "Old"})

    projects_for_usage(provider=provider, names={"abc": "New"})
    projects_for_usage(provider=provider, names={"abc": ""})

    assert Project.objects.get().name == "New"


def test_usage_does_not_rename_what_a_listing_names() -> None:
    """The listing knows better."""
    provider = make_provider()
    record(provider, listed(name="Listed"))

    projects_for_usage(provider=provider, names={"abc": "From usage"})

    assert Project.objects.get().name == "Listed"


def test_usage_of_one_provider_leaves_others_alone() -> None:
    """The same id elsewhere is another key."""
    other = make_project(external_id="abc", name="Other")

    ids = projects_for_usage(provider=make_provider(), names={"abc": "Mine"})

    other.refresh_from_db()
    assert ids["abc"] != other.pk
    assert other.name == "Other"


# --- What it is called ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"label": "Ours", "name": "Theirs"}, "Ours"),
        ({"name": "Theirs"}, "Theirs"),
        ({"name": "", "hint": "a91f"}, "Unnamed key ··a91f"),
        ({"name": "", "external_id": "0123456789"}, "Unnamed key ··6789"),
        ({"name": "", "kind": Project.Kind.KEYLESS}, "No API key"),
        ({"name": "", "kind": Project.Kind.KEYLESS, "label": "Web"}, "Web"),
    ],
    ids=str,
)
def test_display_name_is_the_best_that_is_known(fields: dict[str, Any], name: str) -> None:
    """An own label, the reported name, or something to tell it by."""
    assert make_project(**fields).display_name == name

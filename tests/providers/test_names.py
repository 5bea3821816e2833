"""An API key is no name: whoever pastes one where a name belongs is told so, and it is neither stored nor shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.test import Client

from core.secrets import looks_like_key
from elevenlabs_sync.simulator import SIMULATED_API_KEY
from providers.models import AssignmentRule, Company, Project, Provider
from providers.services.managing import rename_provider
from tests.factories import API_KEY, make_company, make_project, make_provider
from tests.providers.commands import refused

pytestmark = pytest.mark.django_db

REFUSED = "This looks like an API key."
ID = "0123456789abcdef" * 4


@pytest.mark.parametrize("text", [API_KEY, f"my {API_KEY}", "sk_12345678", ID, "gAAAAA" + "b" * 60, "a" * 43 + "="])
def test_keys_are_recognised(text: str) -> None:
    """Those of ElevenLabs, of another kind, Fernet keys and what was encrypted with one."""
    assert looks_like_key(text)


@pytest.mark.parametrize("text", ["Production", "SK_Telecom", "sk_x", "disk_drives_limited", "Acme 2026", "x" * 120])
def test_names_are_names(text: str) -> None:
    """However long, and whatever they begin with."""
    assert not looks_like_key(text)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/providers/add/", {"provider_type": "elevenlabs", "region": "global", "api_key": "x", "name": API_KEY}),
        ("/providers/{provider}/rename/", {"name": API_KEY}),
        ("/companies/add/", {"name": API_KEY}),
        ("/companies/{company}/edit/", {"name": API_KEY}),
        ("/providers/{provider}/assign/", {"projects": "{key}", "company": "new", "new_company": API_KEY}),
        ("/rules/add/", {"kind": "contains", "pattern": API_KEY, "company": "{company}"}),
        ("/admin/providers/provider/{provider}/change/", {"name": API_KEY}),
        ("/admin/providers/project/{key}/change/", {"label": API_KEY}),
        ("/admin/providers/company/{company}/change/", {"name": API_KEY}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_form_takes_a_key_for_a_name(signed_in: Client, path: str, fields: dict[str, str]) -> None:
    """It says why, and does not show it again."""
    key = make_project()
    ids = {"provider": key.provider_id, "key": key.pk, "company": make_company().pk}

    answer = signed_in.post(path.format(**ids), {name: value.format(**ids) for name, value in fields.items()})

    page = answer.content.decode()
    assert REFUSED in page
    assert API_KEY not in page
    assert API_KEY not in str([list(names) for names in names_of_everything()])


def names_of_everything() -> list[QuerySet[Any, Any]]:
    return [
        Provider.objects.values_list("name"),
        Project.objects.values_list("name", "label"),
        Company.objects.values_list("name"),
        AssignmentRule.objects.values_list("pattern"),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("connect_provider", "--type", "elevenlabs", "--name", API_KEY, "--api-key-stdin"),
        ("assign_project", "--provider", "Production", "--project", ID, "--company", API_KEY),
    ],
    ids=["provider", "company"],
)
def test_no_command_takes_a_key_for_a_name(arguments: tuple[str, ...]) -> None:
    """Nor does it repeat it."""
    make_project(provider=make_provider(name="Production"), external_id=ID)

    error = refused(*arguments, code=2, stdin=SIMULATED_API_KEY)

    assert REFUSED in error
    assert API_KEY not in error


def test_command_does_not_repeat_a_key_that_names_nothing() -> None:
    """A key that stands where a provider's name is asked for."""
    error = refused("sync_provider", API_KEY, code=2)

    assert API_KEY not in error
    assert "There is no provider named “••••”." in error


def test_no_service_renames_to_a_key() -> None:
    """Whoever calls it."""
    provider = make_provider(name="Production")

    with pytest.raises(ValidationError, match=REFUSED):
        rename_provider(provider=provider, name=API_KEY)

"""One of everything that a URL names, somebody of every role, and every URL of the product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import Role
from accounts.services.inviting import invite
from alerts.models import Budget, Endpoint
from providers.models import AssignmentChange, SyncRun
from tests.factories import (
    make_company,
    make_episode,
    make_keyless,
    make_project,
    make_provider,
    make_rule,
    make_run,
    make_usage,
    make_user,
)


@dataclass(frozen=True)
class World:
    """One of everything that a URL names, and somebody of every role."""

    people: dict[str, Client]
    arguments: dict[str, dict[str, Any]]  # by URL name, or by namespace


@pytest.fixture
def world() -> World:
    own, other = make_company(name="Acme"), make_company(name="Globex")
    provider = make_provider(name="Hidden workspace")
    make_keyless(provider=provider)
    project = make_project(provider=provider)
    make_usage(project=project, model="")  # which the page of a model shows without being told of one
    users = {
        "admin": make_user(role=Role.ADMIN),
        "member": make_user(role=Role.MEMBER),
        "viewer": make_user(role=Role.VIEWER),
        "own": make_user(role=Role.COMPANY_VIEWER, companies=[own]),
        "other": make_user(role=Role.COMPANY_VIEWER, companies=[other]),
    }
    people = {"anonymous": Client()}
    for name, user in users.items():
        people[name] = Client()
        people[name].force_login(user)
    now = timezone.now()
    invitation, token = invite(role=Role.VIEWER, companies=[], email="", invited_by=users["admin"], now=now)
    change = AssignmentChange.objects.create(made_at=now, summary="", before={}, after={})
    run = make_run(provider=provider, outcome=SyncRun.Outcome.NEEDS_LOOK, finished_at=now)
    budget = Budget.objects.create(company=other, amount=100, currency="usd", starts_on=date(2026, 11, 1))
    endpoint = Endpoint.objects.create(host="hooks.example.com")
    return World(
        people,
        {
            "providers": {"pk": provider.pk},
            "providers:accept": {"pk": provider.pk, "run_pk": run.pk},
            "providers:undo": {"pk": change.pk},
            "keys": {"pk": project.pk},
            "companies": {"pk": own.pk, "month": date(2026, 10, 1)},
            "statements": {"month": date(2026, 10, 1)},
            "rules": {"pk": make_rule(company=other).pk},
            "members": {"pk": users["viewer"].pk},
            "members:withdraw": {"pk": invitation.pk},
            "accept_invitation": {"token": token},
            "choose_password": {"token": token},
            "tokens:revoke": {"pk": 1},
            "alerts": {"pk": 1},
            "budgets": {"pk": budget.pk},
            "unusual": {"pk": make_episode(company=other).pk},
            "notifications": {"pk": endpoint.pk},
            "mfa_edit_webauthn": {"pk": 1},
            "mfa_remove_webauthn": {"pk": 1},
            "admin": {"object_id": users["viewer"].pk, "id": users["viewer"].pk, "app_label": "auth"},
            "admin:view_on_site": {"content_type_id": 1, "object_id": project.pk},
        },
    )


def every_url(resolver: URLResolver, namespaces: tuple[str, ...] = ()) -> Iterator[tuple[str, URLPattern]]:
    """The name of each URL, with its namespaces, as ResolverMatch.view_name has it."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from every_url(pattern, inner)
        else:
            yield ":".join((*namespaces, pattern.name or "(without a name)")), pattern


ALL_URLS = list(every_url(get_resolver()))


# The API asks for tokens; tests/api/test_access.py walks it.
OURS = {name: pattern for name, pattern in ALL_URLS if not name.startswith(("admin:", "api:"))}


# Without the last pattern, which catches what nothing else did and has no name, and the one that ours stands before.
OF_THE_ADMIN = [
    (name, pattern)
    for name, pattern in ALL_URLS
    if name.startswith("admin:") and pattern.name and name != "admin:password_change"
]


def address(world: World, name: str, pattern: URLPattern) -> str:
    namespace = name.partition(":")[0]
    known = world.arguments.get(name) or world.arguments.get(namespace, {})
    keys = pattern.pattern.converters or pattern.pattern.regex.groupindex
    return reverse(name, kwargs={key: known[key] for key in keys})

"""Who may ask what: every operation, as every role, with and without its scope."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from ninja.operation import Operation

from accounts.models import Role
from api.doors import BearerToken
from api.models import Scope
from api.strictness import MARK
from api.v1 import api
from providers.models import Company, Provider
from tests.alerts.worlds import make_budget
from tests.api.asking import Api, make_token
from tests.factories import (
    make_alert,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_rule,
    make_usage,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now", "elevenlabs")]

# The callers, and what each is answered: an Admin, a Member, a Viewer, a Company viewer of the company that is asked
# for, one of another company, and an Admin's token for the first company alone.
CALLERS = ("admin", "member", "viewer", "own", "other", "narrowed")
ANSWERS = {
    "costs": "200 200 200 200 200 200",
    "list_companies": "200 200 200 200 200 200",
    "add_company": "201 201 403 403 403 403",
    "change_company": "200 200 403 403 403 403",
    "list_statements": "200 200 200 200 200 200",
    "statement": "200 200 200 200 404 200",
    "list_providers": "200 200 200 403 403 403",
    "list_sync_runs": "200 200 200 403 403 403",
    "sync_provider": "202 202 403 403 403 403",
    "list_projects": "200 200 200 403 403 403",
    "list_reconciliation": "200 200 200 403 403 403",
    "list_assignments": "200 200 200 403 403 403",
    "explain_attribution": "200 200 200 403 403 403",
    "assign": "201 201 403 403 403 403",
    "list_rules": "200 200 200 403 403 403",
    "add_rule": "201 201 403 403 403 403",
    "change_rule": "200 200 403 403 403 403",
    "delete_rule": "204 204 403 403 403 403",
    "preview_rules": "200 200 200 403 403 403",
    "apply_rules": "409 409 403 403 403 403",
    "list_budgets": "200 200 200 403 403 403",
    "list_alerts": "200 200 200 200 200 200",
    "list_restatements": "200 200 200 403 403 403",
    "list_audit_entries": "200 403 403 403 403 403",
}


def every_operation() -> Iterator[tuple[str, Operation]]:
    for router in api._get_bound_routers():
        for view in router.path_operations.values():
            for operation in view.operations:
                yield str(operation.operation_id), operation


OPERATIONS = dict(every_operation())
WITH_A_BODY = [
    name
    for name, operation in OPERATIONS.items()
    if any(model.__ninja_param_source__ == "body" for model in operation.models)
]


@dataclass(frozen=True)
class World:
    acme: Company
    globex: Company
    provider: Provider
    arguments: dict[str, Any]

    def path(self, operation: Operation) -> str:
        own = {
            "change_company": self.acme.pk,
            "sync_provider": self.provider.pk,
            "explain_attribution": self.arguments["project"],
        }
        pk = own.get(str(operation.operation_id), self.arguments["rule"])
        path = operation.path.replace("{int:pk}", str(pk))
        path += "?day=2026-11-03" if operation.operation_id == "explain_attribution" else ""
        return path.replace("{int:company}", str(self.acme.pk)).replace("{month}", "2026-11")

    def body(self, name: str) -> Any:
        return {
            "add_company": {"name": "Initech"},
            "change_company": {"notes": "Pays late"},
            "assign": {
                "assignments": [
                    {"project": self.arguments["project"], "from": None, "shares": [{"company": self.acme.pk}]}
                ]
            },
            "add_rule": {"kind": "contains", "pattern": "x", "company": self.acme.pk},
            "change_rule": {"pattern": "y"},
            "preview_rules": {"from": None},
            "apply_rules": {"from": None, "fingerprint": "0" * 64},
        }.get(name)


@pytest.fixture
def world() -> World:
    acme, globex = make_company(name="Acme"), make_company(name="Globex secret")
    provider = make_provider(name="Hidden workspace")
    project, other = make_project(provider=provider, name="Hidden key"), make_project(provider=provider)
    make_assignment(project=project, company=acme)
    make_assignment(project=other, company=globex)
    for used in (project, other):
        make_usage(project=used, day=date(2026, 11, 3))
    rule = make_rule(company=globex, pattern="never")
    for company in (acme, globex):
        make_budget(company=company)
        make_alert(company=company)
    return World(acme, globex, provider, {"rule": rule.pk, "project": project.pk})


def token(world: World, who: str, scopes: list[str]) -> str:
    match who:
        case "own":
            return make_token(role=Role.COMPANY_VIEWER, companies=[world.acme], scopes=scopes)
        case "other":
            return make_token(role=Role.COMPANY_VIEWER, companies=[world.globex], scopes=scopes)
        case "narrowed":
            return make_token(role=Role.ADMIN, company=world.acme, scopes=scopes)
    return make_token(role=Role(who), scopes=scopes)


def ask(world: World, operation: Operation, text: str, **added: Any) -> Any:
    (method,) = operation.methods
    path = f"/api/v1{world.path(operation)}"
    headers = {"Authorization": f"Bearer {text}"} if text else {}
    body = world.body(str(operation.operation_id))
    body = {**(body or {}), **added} if added else body
    return Client(raise_request_exception=False).generic(
        method,
        path,
        data="" if body is None else json.dumps(body),
        content_type="application/json",
        headers=headers,
    )


def test_every_operation_is_pinned_here() -> None:
    """A new one fails this test until somebody has written down who may ask it."""
    assert set(OPERATIONS) == set(ANSWERS)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_has_a_door_and_refuses_what_it_does_not_know(name: str) -> None:
    """None can be forgotten."""
    (door,) = OPERATIONS[name].auth_callbacks

    assert isinstance(door, BearerToken)
    assert getattr(OPERATIONS[name].view_func, MARK)


@pytest.mark.parametrize("name", WITH_A_BODY)
def test_body_with_more_than_is_known_is_refused(world: World, name: str) -> None:
    """At the name that there is not, whatever else is right: nothing that was sent is ignored."""
    text = token(world, "admin", list(Scope.values))

    answer = ask(world, OPERATIONS[name], text, nonsense=1)

    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, ["nonsense"])


@pytest.mark.any_engine
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_everybody_gets_the_pinned_answer(world: World, name: str) -> None:
    """With every scope that there is; what one has changed is undone before the next asks."""
    answers = []
    for who in CALLERS:
        with transaction.atomic():
            answers.append(ask(world, OPERATIONS[name], token(world, who, list(Scope.values))).status_code)
            transaction.set_rollback(True)

    assert " ".join(map(str, answers)) == ANSWERS[name]


@pytest.mark.any_engine
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_no_other_scope_opens_it(world: World, name: str) -> None:
    """Not even an Admin's, with all but the one."""
    (door,) = OPERATIONS[name].auth_callbacks
    assert isinstance(door, BearerToken)
    others = [scope for scope in Scope.values if scope != door.scope]

    answer = ask(world, OPERATIONS[name], token(world, "admin", others))

    assert answer.status_code == 403
    assert door.scope in answer.json()["detail"]


@pytest.mark.any_engine
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_nothing_opens_without_a_token(world: World, name: str) -> None:
    """Nor with the cookie of an Admin who is signed in."""
    browser = Client()
    browser.force_login(make_user(role=Role.ADMIN))
    (method,) = OPERATIONS[name].methods

    answer = browser.generic(method, f"/api/v1{world.path(OPERATIONS[name])}")

    assert answer.status_code == 401
    assert ask(world, OPERATIONS[name], "").status_code == 401


@pytest.mark.parametrize("name", [name for name in sorted(OPERATIONS) if "200 200 200 200" in ANSWERS[name]])
@pytest.mark.parametrize("who", ["own", "narrowed"])
def test_chosen_companies_tell_of_nothing_else(world: World, name: str, who: str) -> None:
    """No name, no id, no sum, no provider and no key."""
    answer = ask(world, OPERATIONS[name], token(world, who, list(Scope.values)))
    text = answer.content.decode()

    assert answer.status_code == 200
    assert "Globex" not in text
    assert "Hidden" not in text
    assert f'"id": {world.globex.pk},' not in text
    assert '"cost": "0.6"' not in text


def test_foreign_company_is_as_unknown_as_none(world: World) -> None:
    """Whatever is asked about it, the answer is the same to the letter."""
    viewer = Api(token(world, "own", list(Scope.values)))

    for path in ("/statements/{}/2026-11", "/statements?company={}"):
        foreign, unknown = viewer.get(path.format(world.globex.pk)), viewer.get(path.format(10**6))

        assert foreign.status_code == unknown.status_code
        assert foreign.content == unknown.content


@pytest.mark.parametrize("path", ["/", "/companies/", "/settings/tokens/", "/api/v1/docs"])
def test_no_token_opens_a_page(path: str) -> None:
    """Pages know people, by their sign-in."""
    answer = Client().get(path, headers={"Authorization": f"Bearer {make_token()}"})

    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]

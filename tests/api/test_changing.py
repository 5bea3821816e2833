"""Operations that change something: what they do, what they refuse, and once however often they are sent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from accounts.audit.labels import changes
from accounts.models import AuditEntry, Role
from api.models import ApiToken, KeptAnswer
from costs.models import CompanySum, Span
from providers.models import Assignment, AssignmentRule, Company, SyncRun
from tests.api.asking import Api, make_token
from tests.conftest import FakeType
from tests.factories import (
    NOW,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_rule,
    make_usage,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]


@pytest.fixture
def ann() -> User:
    return make_user(username="ann", role=Role.MEMBER)


@pytest.fixture
def api(ann: User) -> Api:
    return Api(make_token(user=ann))


# --- Companies --------------------------------------------------------------------------------------------------------


def test_company_is_added(api: Api, ann: User) -> None:
    """By the token's owner, as the audit log has it."""
    answer = api.post("/companies", {"name": "  Acme  Ltd ", "markup_percent": "12.5"})

    company = Company.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": company.pk,
        "name": "Acme Ltd",
        "archived": False,
        "markup_percent": "12.5",
        "notes": "",
        "statement_amounts": "",
        "statement_lines": "model",
    }
    assert AuditEntry.objects.get(action="company.created").actor == ann


def test_act_is_recorded_with_its_token(api: Api) -> None:
    """So that it can be told apart from what its owner did by hand."""
    api.post("/companies", {"name": "Acme"})

    entry = AuditEntry.objects.get(action="company.created")
    assert entry.new["api_token"] == f"Script (adm_{ApiToken.objects.get().public_id})"
    assert ("By API token", entry.new["api_token"]) in [(change.label, change.new) for change in changes(entry)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "acme"}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "sk_" + "1f2e3d4c" * 6}, "name"),
        ({"name": "Globex", "markup_percent": "-1"}, "markup_percent"),
        ({"name": "Globex", "markup_percent": "1.234"}, "markup_percent"),
        ({"name": "Globex", "colour": "red"}, "colour"),
    ],
)
def test_company_that_can_not_be_is_refused(api: Api, body: dict[str, Any], field: str) -> None:
    """At the field, and nothing is stored."""
    make_company(name="Acme")

    answer = api.post("/companies", body)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert Company.objects.count() == 1


def test_company_is_changed_where_something_is_given(api: Api) -> None:
    """What is left out stays; null takes the mark-up away."""
    company = make_company(name="Acme", notes="Pays", markup_percent=Decimal(5))

    changed = api.patch(f"/companies/{company.pk}", {"markup_percent": None, "archived": True})

    assert changed.json() | {"id": 0} == {
        "id": 0,
        "name": "Acme",
        "archived": True,
        "markup_percent": None,
        "notes": "Pays",
        "statement_amounts": "",
        "statement_lines": "model",
    }
    assert api.patch(f"/companies/{company.pk}", {"archived": False}).json()["archived"] is False
    assert api.patch(f"/companies/{10**6}", {}).status_code == 404


# --- Assignments ------------------------------------------------------------------------------------------------------


def test_keys_are_assigned_in_bulk(api: Api, ann: User) -> None:
    """To one company or split, from a day or in all history; sums follow at once."""
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    whole, split = make_project(), make_project()
    for project in (whole, split):
        make_usage(project=project, day=date(2026, 11, 20), cost=Decimal(10))

    answer = api.post(
        "/assignments",
        {
            "assignments": [
                {"project": whole.pk, "from": None, "shares": [{"company": acme.pk}]},
                {
                    "project": split.pk,
                    "from": "2026-11-01",
                    "shares": [{"company": acme.pk, "percent": "60"}, {"company": globex.pk, "percent": "40"}],
                },
            ]
        },
    )

    assert answer.status_code == 201
    assert len(answer.json()["changes"]) == 2
    costs = dict(CompanySum.objects.of_span(Span.DAY).order_by().values_list("company__name", "cost"))
    assert costs["Globex"] == Decimal(4)
    assert sum(total.cost or 0 for total in CompanySum.objects.of_span(Span.DAY).filter(company=acme)) == Decimal(16)
    assert {entry.actor for entry in AuditEntry.objects.filter(action="keys.assigned")} == {ann}


def test_bulk_is_all_or_nothing(api: Api) -> None:
    """One line that is wrong is named, and no other is carried out."""
    acme, archived = make_company(), make_company(archived_at=NOW)
    project = make_project()

    answer = api.post(
        "/assignments",
        {
            "assignments": [
                {"project": project.pk, "from": None, "shares": [{"company": acme.pk}]},
                {"project": 10**6, "from": None, "shares": [{"company": archived.pk, "percent": 50}]},
            ]
        },
    )

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [
        "assignments.1.project",
        "assignments.1.shares.0.company",
        "assignments.1.shares",
    ]
    assert not Assignment.objects.exists()


def test_day_must_be_said(api: Api) -> None:
    """All history moves only for who asks for it."""
    answer = api.post("/assignments", {"assignments": [{"project": make_project().pk, "shares": []}]})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "assignments.0.from"


# --- Rules ------------------------------------------------------------------------------------------------------------


def test_rule_is_added_changed_and_deleted(api: Api) -> None:
    """As on the page."""
    acme, globex = make_company(), make_company()
    made = api.post("/rules", {"kind": "starts_with", "pattern": "acme", "company": acme.pk})

    path = f"/rules/{made.json()['id']}"
    changed = api.patch(path, {"company": globex.pk})
    deleted: Any = api.client.delete(f"/api/v1{path}", headers=api.headers)

    assert (made.status_code, made.json()["position"]) == (201, 1)
    assert (changed.json()["pattern"], changed.json()["company"]["id"]) == ("acme", globex.pk)
    assert deleted.status_code == 204
    assert not AssignmentRule.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"), [({"kind": "regex"}, "kind"), ({"company": 10**6}, "company"), ({"pattern": " "}, "pattern")]
)
def test_rule_that_can_not_be_is_refused(api: Api, wrong: dict[str, Any], field: str) -> None:
    """By the same form as on the page."""
    answer = api.post("/rules", {"kind": "contains", "pattern": "a", "company": make_company().pk} | wrong)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_rules_are_applied_as_previewed(api: Api) -> None:
    """The preview changes nothing; with its fingerprint, and no other, it is carried out."""
    project = make_project(name="acme hotline")
    rule = make_rule(pattern="acme")

    preview = api.post("/rules/preview", {"from": None}).json()
    stale = api.post("/rules/apply", {"from": None, "fingerprint": "0" * 64})
    applied = api.post("/rules/apply", {"from": None, "fingerprint": preview["fingerprint"]})

    assert [(one["project"]["id"], one["company"]["id"]) for one in preview["outcomes"]] == [
        (project.pk, rule.company_id)
    ]
    assert (stale.status_code, applied.status_code) == (409, 201)
    assert Assignment.objects.get().source == "rule"


# --- Syncs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [None, {"from": "2026-11-01", "to": "2026-11-03"}])
def test_sync_is_asked_for(api: Api, elevenlabs: FakeType, body: Any, django_capture_on_commit_callbacks: Any) -> None:
    """Of what is due, or of days; handed to the queue once it is stored."""
    provider = make_provider()

    with django_capture_on_commit_callbacks(execute=True):
        answer = api.post(f"/providers/{provider.pk}/sync", body)

    run = SyncRun.objects.get()
    assert answer.status_code == 202
    assert (answer.json()["id"], answer.json()["state"]) == (run.pk, "queued")
    assert answer.json()["from"] == (body or {}).get("from")
    assert elevenlabs.enqueued == [run.pk]


def test_paused_provider_is_not_synced(api: Api) -> None:
    """409, with the reason."""
    provider = make_provider(paused_at=NOW)

    answer = api.post(f"/providers/{provider.pk}/sync")

    assert (answer.status_code, SyncRun.objects.count()) == (409, 0)
    assert "paused" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"from": "2026-11-03", "to": "2026-11-01"}, "to"),
        ({"from": "2026-11-03"}, "to"),
        ({"from": "2019-12-31", "to": "2020-01-05"}, "from"),
        ({"from": "2026-11-01", "to": "2026-11-30"}, "to"),
    ],
)
def test_days_that_can_not_be_synced_are_refused(api: Api, body: Any, field: str) -> None:
    """Before there was anything, in the future, the wrong way round."""
    answer = api.post(f"/providers/{make_provider().pk}/sync", body)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


# --- Repeating --------------------------------------------------------------------------------------------------------


def test_repeated_key_is_answered_and_not_carried_out(api: Api) -> None:
    """To the letter, however often."""
    again = {"Idempotency-Key": "6f1d"}

    first = api.post("/companies", {"name": "Acme"}, headers=again)
    second = api.post("/companies", {"name": "Acme"}, headers=again)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second["Idempotent-Replayed"] == "true"
    assert Company.objects.count() == 1


def test_key_belongs_to_its_request_and_token(api: Api) -> None:
    """Another request is refused; another token has keys of its own."""
    again = {"Idempotency-Key": "6f1d"}
    api.post("/companies", {"name": "Acme"}, headers=again)

    other_request = api.post("/companies", {"name": "Globex"}, headers=again)
    other_token = Api(make_token()).post("/companies", {"name": "Globex"}, headers=again)

    assert other_request.status_code == 422
    assert other_token.status_code == 201


def test_what_was_refused_may_be_tried_again(api: Api) -> None:
    """Nothing is kept of it."""
    again = {"Idempotency-Key": "6f1d"}
    taken = make_company(name="Acme")
    refused = api.post("/companies", {"name": "Acme"}, headers=again)

    taken.delete()
    done = api.post("/companies", {"name": "Acme"}, headers=again)

    assert (refused.status_code, done.status_code) == (422, 201)
    assert KeptAnswer.objects.count() == 1


def test_assigning_to_nobody_ends_a_period(api: Api) -> None:
    """From that day on."""
    project = make_project()
    make_assignment(project=project, company=make_company())

    api.post("/assignments", {"assignments": [{"project": project.pk, "from": "2026-11-10", "shares": []}]})

    periods = Assignment.objects.by_project()[project.pk]
    assert periods.payers_on(date(2026, 11, 10)) == ()
    assert periods.payers_on(date(2026, 11, 9)) != ()

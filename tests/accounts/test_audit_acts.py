"""Every act that somebody will ask about leaves its entry, by the person who did it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client

from accounts.audit.models import AuditEntry
from accounts.models import Role
from administrate.first_admin import create_first_admin
from core.audit import audit_groups, registered_labels
from providers.models import Project, Provider
from syncing.runs import finish_run
from tests.conftest import FakeType
from tests.factories import (
    API_KEY,
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_run,
    make_usage,
    make_user,
)
from tests.services.product import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

NEW_KEY = "sk_" + "a1b2c3d4" * 6


@pytest.fixture
def provider() -> Provider:
    return make_provider(name="Production")


@pytest.fixture
def key(provider: Provider) -> Project:
    return make_project(provider=provider, name="Hotline")


def told(*, by: str = "operator") -> list[tuple[str, dict[str, object], dict[str, object]]]:
    """What was recorded, oldest first, all of it by one person."""
    entries = list(AuditEntry.objects.order_by("pk"))
    assert {entry.actor_name for entry in entries} <= {by}
    return [(entry.action, entry.old, entry.new) for entry in entries]


# --- Providers --------------------------------------------------------------------------------------------------------


def test_connecting(signed_in: Client, elevenlabs: FakeType) -> None:
    """Under which name, where, and how the key ends; never the key."""
    form = {"provider_type": "elevenlabs", "name": "Production", "region": "global", "api_key": API_KEY}

    signed_in.post("/providers/add/", form)

    new = {"name": "Production", "region": "global", "source": "analytics", "key_ending": API_KEY[-4:]}
    assert told() == [("provider.connected", {}, new)]
    assert API_KEY not in repr(AuditEntry.objects.values_list())


def test_refused_connecting_is_no_act(signed_in: Client, elevenlabs: FakeType) -> None:
    """Nothing has happened."""
    elevenlabs.refusal = "No."

    signed_in.post(
        "/providers/add/", {"provider_type": "elevenlabs", "name": "P", "region": "global", "api_key": API_KEY}
    )

    assert told() == []


def test_replacing_the_key(signed_in: Client, elevenlabs: FakeType, provider: Provider, key: Project) -> None:
    """How the old and the new one end."""
    elevenlabs.project_ids = frozenset({key.external_id})

    signed_in.post(f"/providers/{provider.pk}/key/", {"api_key": NEW_KEY})

    assert told() == [
        ("provider.key_replaced", {"key_ending": API_KEY[-4:]}, {"key_ending": NEW_KEY[-4:]}),
    ]
    assert NEW_KEY not in repr(AuditEntry.objects.values_list())


def test_pausing_and_resuming(signed_in: Client, provider: Provider) -> None:
    """Once each, however often the button is pressed."""
    for _ in range(2):
        signed_in.post(f"/providers/{provider.pk}/pause/")
    for _ in range(2):
        signed_in.post(f"/providers/{provider.pk}/resume/")

    assert [action for action, _old, _new in told()] == ["provider.paused", "provider.resumed"]


def test_pausing_and_resuming_in_the_admin(signed_in: Client, provider: Provider) -> None:
    """The operators' way is no way around the log."""
    for action in ("pause", "resume", "sync_now"):
        signed_in.post("/admin/providers/provider/", {"action": action, "_selected_action": [provider.pk]})

    assert [action for action, _old, _new in told()] == ["provider.paused", "provider.resumed", "sync.requested"]


def test_renaming_in_the_admin(signed_in: Client, provider: Provider, key: Project) -> None:
    """A provider, and an API key's label."""
    signed_in.post(f"/admin/providers/provider/{provider.pk}/change/", {"name": "New"})
    signed_in.post(f"/admin/providers/project/{key.pk}/change/", {"label": "Mine"})

    assert told() == [
        ("provider.renamed", {"name": "Production"}, {"name": "New"}),
        ("keys.renamed", {"label": ""}, {"label": "Mine"}),
    ]


def test_pausing_itself(provider: Provider) -> None:
    """Where the key was refused for three days nobody has paused it, and the entry says why."""
    provider.refused_since = NOW - timedelta(days=4)
    provider.save()
    run = make_run(provider=provider)

    finish_run(run=run, outcome=run.Outcome.FAILED, error_text="No.", key_was_refused=True, now=NOW)

    reason = "The API key has been refused for three days. No."
    assert told(by="Command line") == [("provider.paused", {}, {"reason": reason})]


def test_disconnecting_and_deleting(signed_in: Client, provider: Provider, key: Project) -> None:
    """What went with it."""
    signed_in.post(f"/providers/{provider.pk}/delete/", {"history": "keep"})
    signed_in.post(f"/providers/{provider.pk}/delete/", {"history": "delete", "confirmed_name": "Production"})

    gone = {"name": "Production", "region": "global", "key_ending": "", "api_keys": 1}
    assert told() == [
        ("provider.disconnected", {"key_ending": API_KEY[-4:]}, {}),
        ("provider.deleted", gone, {}),
    ]


def test_credit_rate(signed_in: Client, provider: Provider) -> None:
    """Old and new; the same again is no change."""
    for _ in range(2):
        signed_in.post(f"/providers/{provider.pk}/credit-rate/", {"rate": "0.30", "currency": "usd"})
    signed_in.post(f"/providers/{provider.pk}/credit-rate/", {"remove": "1"})

    set_to, removed = {"credit_rate": "0.3 USD"}, {"credit_rate": None}
    assert told() == [
        ("provider.credit_rate_changed", removed, set_to),
        ("provider.credit_rate_changed", set_to, removed),
    ]


def test_sharing(signed_in: Client, provider: Provider) -> None:
    """Of usage without a key."""
    signed_in.post(f"/providers/{provider.pk}/keyless/", {"sharing": "evenly"})

    assert told() == [("provider.sharing_changed", {"keyless_sharing": "none"}, {"keyless_sharing": "evenly"})]


def test_attribution_of_agents(signed_in: Client, elevenlabs: FakeType, provider: Provider) -> None:
    """By agent instead of key."""
    signed_in.post(f"/providers/{provider.pk}/agents/", {"attributes_by": "agent"})

    assert told() == [("provider.agents_changed", {"attributes_by": "key"}, {"attributes_by": "agent"})]


def test_asking_for_syncs(signed_in: Client, elevenlabs: FakeType, provider: Provider) -> None:
    """Now, of a range, and of what was held back."""
    held = make_run(provider=provider, outcome="needs_look", finished_at=NOW, window_from=TODAY, window_to=TODAY)

    signed_in.post(f"/providers/{provider.pk}/sync/")
    signed_in.post(f"/providers/{provider.pk}/resync/", {"first": "2026-10-01", "last": "2026-10-31"})
    signed_in.post(f"/providers/{provider.pk}/runs/{held.pk}/accept/")

    today = TODAY.isoformat()
    assert told() == [
        ("sync.requested", {}, {}),
        ("sync.requested", {}, {"from": "2026-10-01", "to": "2026-10-31"}),
        ("sync.accepted", {}, {"from": today, "to": today}),
    ]


# --- Who pays ---------------------------------------------------------------------------------------------------------


def test_assigning_splitting_and_undoing(signed_in: Client, provider: Provider, key: Project) -> None:
    """By the same person, each with what stood before."""
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    keys = {"projects": [key.pk], "applies_to": "all"}

    signed_in.post(f"/providers/{provider.pk}/assign/", keys | {"company": acme.pk})
    lines = {"company_0": acme.pk, "percent_0": "60", "company_1": globex.pk, "percent_1": "40"}
    signed_in.post(f"/providers/{provider.pk}/split/", keys | lines | {"save": "1"})
    change = AuditEntry.objects.filter(action="keys.assigned").latest("pk").target_id
    signed_in.post(f"/assignments/{change}/undo/")

    assert [(action, old["companies"], new["companies"]) for action, old, new in told()] == [
        ("keys.assigned", [], ["Acme"]),
        ("keys.assigned", ["Acme"], ["Acme", "Globex"]),
        ("assignment.undone", ["Acme", "Globex"], ["Acme"]),
    ]


def test_rules(signed_in: Client) -> None:
    """Made, changed and deleted."""
    acme = make_company(name="Acme")
    rule = {"kind": "starts_with", "pattern": "acme-", "company": acme.pk, "provider": ""}

    signed_in.post("/rules/add/", rule)
    pk = AuditEntry.objects.get().target_id
    signed_in.post(f"/rules/{pk}/edit/", rule | {"pattern": "acme_"})
    signed_in.post(f"/rules/{pk}/delete/")

    assert [(action, old.get("pattern"), new.get("pattern")) for action, old, new in told()] == [
        ("rule.created", None, "acme-"),
        ("rule.changed", "acme-", "acme_"),
        ("rule.deleted", "acme_", None),
    ]


def test_closing_a_month(signed_in: Client) -> None:
    """Which one, and what it came to."""
    first = date(2026, 10, 1)
    key = make_project(provider=make_provider(history_from=first))
    make_assignment(project=key, company=make_company())
    make_usage(project=key, day=first, cost=Decimal("1.25"))
    make_read_days(provider=key.provider, first=first, last=TODAY)

    signed_in.post("/statements/2026-10/close/")

    assert told() == [("month.closed", {}, {"month": "2026-10", "statements": 1, "cost": {"usd": "1.25"}})]


# --- Exports ----------------------------------------------------------------------------------------------------------


def test_exports(signed_in: Client, provider: Provider, key: Project) -> None:
    """Usage in both formats, tables, statements, restatements and the log itself; each file once."""
    company = make_company(name="Acme")
    make_assignment(project=key, company=company)
    make_usage(project=key)
    addresses = [
        "/exports/usage.csv?from=2026-11-01&to=2026-11-22",
        f"/exports/focus.csv?from=2026-11-01&to=2026-11-22&company={company.pk}",
        "/?csv=companies",
        "/?csv=days",
        "/companies/?csv=companies",
        "/models/?csv=models",
        "/providers/?csv=providers",
        f"/providers/{provider.pk}/?csv=keys",
        f"/providers/{provider.pk}/restatements/?csv=restatements",
        f"/companies/{company.pk}/statements/2026-11/statement.csv",
        "/settings/audit/?csv=audit",
    ]

    for address in addresses:
        assert signed_in.get(address)["Content-Type"] == "text/csv; charset=utf-8", address

    assert [(entry.action, entry.target_name) for entry in AuditEntry.objects.order_by("pk")] == [
        ("usage.exported", "operator"),
        ("usage.exported", "Acme"),
        ("table.exported", "administrate-companies-2026-11-01-to-2026-11-22.csv"),
        ("table.exported", "administrate-company-days-2026-11-01-to-2026-11-22.csv"),
        ("table.exported", "administrate-companies-2026-11-01-to-2026-11-22.csv"),
        ("table.exported", "administrate-models-2026-11-01-to-2026-11-22.csv"),
        ("table.exported", "administrate-providers-2026-11-01-to-2026-11-22.csv"),
        ("table.exported", "administrate-production-keys-2026-11-01-to-2026-11-22.csv"),
        ("table.exported", "administrate-production-restatements-2026-11-01-to-2026-11-22.csv"),
        ("table.exported", "administrate-acme-statement-2026-11-draft.csv"),
        ("audit.exported", "administrate-audit-log.csv"),
    ]


# --- People -----------------------------------------------------------------------------------------------------------


def test_members(signed_in: Client) -> None:
    """Invited, changed, kept out, let in, and removed."""
    signed_in.post("/settings/members/invite/", {"role": "viewer", "email": "berta@example.com"})
    anna = make_user(username="anna", role=Role.MEMBER)
    page = f"/settings/members/{anna.pk}/"
    signed_in.post(page, {"role": "admin"})
    signed_in.post(f"{page}deactivate/")
    signed_in.post(f"{page}reactivate/")
    signed_in.post(f"{page}remove/", {"confirmed_name": "anna"})

    assert told() == [
        ("member.invited", {}, {"role": "Viewer", "email": "berta@example.com"}),
        ("member.role_changed", {"role": "Member"}, {"role": "Admin"}),
        ("member.deactivated", {}, {}),
        ("member.reactivated", {}, {}),
        ("member.removed", {"username": "anna"}, {}),
    ]


def test_signing_in_and_out(client: Client) -> None:
    """And failing to; what was typed is in no entry."""
    make_user(username="anna")

    client.post("/accounts/login/", {"login": "anna", "password": "sesame-sesame"})
    client.post("/accounts/login/", {"login": "no-such-person", "password": "sesame-sesame"})
    client.post("/accounts/login/", {"login": "anna", "password": "a-long-password"})
    client.post("/accounts/logout/")

    entries = list(AuditEntry.objects.order_by("pk"))
    assert [(entry.action, entry.actor_name) for entry in entries] == [
        ("session.sign_in_failed", "anna"),
        ("session.sign_in_failed", "Not signed in"),
        ("session.signed_in", "anna"),
        ("session.signed_out", "anna"),
    ]
    assert {entry.address for entry in entries} == {"127.0.0.1"}
    stored = repr(list(AuditEntry.objects.values_list()))
    assert "sesame" not in stored
    assert "no-such-person" not in stored


def test_resetting_a_second_factor(signed_in: Client) -> None:
    """By an Admin, for somebody else."""
    anna = make_user(username="anna")
    Authenticator.objects.create(user=anna, type=Authenticator.Type.TOTP, data={"secret": "x"})

    signed_in.post(f"/settings/members/{anna.pk}/reset-two-factor/")

    assert told() == [("two_factor.reset", {}, {})]


def test_the_first_admin() -> None:
    """Whom nobody has invited."""
    create_first_admin()

    assert told(by="Command line") == [("member.created", {}, {"role": "Admin"})]
    assert AuditEntry.objects.get().target_name == User.objects.get().username


# --- Words ------------------------------------------------------------------------------------------------------------


def test_every_announced_action_has_words_and_a_group() -> None:
    """Found in the code: each is called something on the page, and can be filtered by."""
    announced = actions_in_the_code()

    assert announced == set(registered_labels())
    grouped = [noun for nouns in audit_groups().values() for noun in nouns]
    assert {action.partition(".")[0] for action in announced} == set(grouped)
    assert len(grouped) == len(set(grouped)), "a noun of two groups"


def actions_in_the_code() -> set[str]:
    apps = ("accounts", "administrate", "alerts", "api", "costs", "elevenlabs_sync", "providers", "syncing")
    sources = [path for app in apps for path in (ROOT / app).rglob("*.py") if path.name != "audit_labels.py"]
    nouns = "|".join(sorted({action.partition(".")[0] for action in registered_labels()}))
    pattern = re.compile(rf'"((?:{nouns})\.[a-z_]+)"')
    found = set()
    for source in sources:
        text = source.read_text()
        if "audit_event" in text or source.name in {"recording.py", "periods.py"}:
            found |= set(pattern.findall(text))
    return found

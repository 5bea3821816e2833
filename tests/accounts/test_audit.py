"""The audit log's entries: who, when, from where, what – kept as it was, never changed, and without secrets."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from celery import shared_task
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.audit import recording
from accounts.audit.models import AppendOnlyError, AuditEntry
from accounts.models import Role
from accounts.services.members import remove_member
from core.audit import audit_event
from core.secrets import MASK, ApiKey, encrypt
from providers.models import Company, Provider
from providers.services.companies import save_company
from providers.services.managing import pause_provider, rename_provider
from tests.factories import API_KEY, NOW, make_company, make_provider, make_user

pytestmark = pytest.mark.django_db


@shared_task
def pause_by_itself(pk: int) -> None:
    pause_provider(provider=Provider.objects.get(pk=pk), now=NOW)


def entry(action: str) -> AuditEntry:
    return AuditEntry.objects.get(action=action)


# --- Who, when, from where --------------------------------------------------------------------------------------------


def test_act_of_a_person_is_recorded_with_all_that_is_asked_later(signed_in: Client, operator: User) -> None:
    """When, who, from which address, in which request, what, to what, and old and new."""
    provider = make_provider(name="Old")

    response = signed_in.post(
        f"/providers/{provider.pk}/rename/", {"name": "New"}, headers={"X-Request-ID": "abc-12345"}
    )

    assert response["X-Request-ID"] == "abc-12345"
    made = entry("provider.renamed")
    assert (made.at, made.actor, made.actor_name) == (NOW, operator, "operator")
    assert (made.address, made.request_id) == ("127.0.0.1", "abc-12345")
    assert (made.target_type, made.target_id, made.target_name) == ("provider", provider.pk, "New")
    assert (made.old, made.new) == ({"name": "Old"}, {"name": "New"})


def test_address_behind_a_trusted_proxy_is_the_clients(signed_in: Client, settings: Settings) -> None:
    """By the same rule as the sign-in throttle's; without trusting the proxy it is the proxy's."""
    company = make_company()
    forwarded = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}

    signed_in.post(f"/companies/{company.pk}/archive/", headers=forwarded)
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    signed_in.post(f"/companies/{company.pk}/restore/", headers=forwarded)

    assert list(AuditEntry.objects.order_by("pk").values_list("address", flat=True)) == ["127.0.0.1", "198.51.100.7"]


def test_command_acts_without_a_person() -> None:
    """Nor an address or a request."""
    pause_provider(provider=make_provider(), now=NOW)

    made = entry("provider.paused")
    assert (made.actor, made.actor_name, made.address, made.request_id) == (None, "Command line", "", "")


def test_task_acts_by_itself() -> None:
    """What beat and workers do nobody has done."""
    pause_by_itself.apply(args=(make_provider().pk,))

    assert entry("provider.paused").actor_name == "Administrate itself"


def test_request_is_forgotten_when_it_has_ended(signed_in: Client) -> None:
    """What the same thread does next is not the person's."""
    signed_in.get("/settings/")

    pause_provider(provider=make_provider(), now=NOW)

    assert entry("provider.paused").actor_name == "Command line"


def test_entry_outlives_the_person_and_the_thing(signed_in: Client) -> None:
    """Both names are text; the link to the person is cleared."""
    anna = make_user(username="anna", role=Role.ADMIN)
    company = Company(name="Acme")
    save_company(company=company, made_by=anna)

    company.delete()
    remove_member(user=anna)

    made = entry("company.created")
    assert (made.actor, made.actor_name, made.target_name) == (None, "anna", "Acme")


# --- Standing or falling with the act ---------------------------------------------------------------------------------


def test_act_that_is_undone_leaves_no_entry() -> None:
    """It is written in the act's own transaction."""
    provider = make_provider()

    with transaction.atomic():
        rename_provider(provider=provider, name="New")
        transaction.set_rollback(True)

    assert not AuditEntry.objects.exists()


def test_act_that_can_not_be_recorded_does_not_happen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happens past the log."""
    provider = make_provider(name="Old")
    monkeypatch.setattr(recording, "client_address", lambda _request: 1 / 0)
    recorded = recording._request.set(object())  # type: ignore[arg-type]
    try:
        with pytest.raises(ZeroDivisionError):
            rename_provider(provider=provider, name="New")
    finally:
        recording._request.reset(recorded)

    assert Provider.objects.get().name == "Old"


# --- Append-only ------------------------------------------------------------------------------------------------------


def test_code_can_not_change_or_delete_an_entry() -> None:
    """Neither one nor many."""
    audit_event("company.deleted", make_company())
    made = AuditEntry.objects.get()

    with pytest.raises(AppendOnlyError):
        made.save()
    with pytest.raises(AppendOnlyError):
        made.delete()
    with pytest.raises(AppendOnlyError):
        AuditEntry.objects.update(action="x")
    with pytest.raises(AppendOnlyError):
        AuditEntry.objects.all().delete()


@pytest.mark.parametrize("field", ["at", "actor_name", "address", "request_id", "action", "target_name", "old", "new"])
def test_database_refuses_to_change_an_entry(field: str) -> None:
    """Whatever the code is that tries."""
    audit_event("company.deleted", make_company(), new={"name": "Acme"})
    value: Any = {"at": NOW, "old": {"a": 1}, "new": {}}.get(field, "x")

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry._base_manager.update(**{field: value})

    assert AuditEntry.objects.get().new == {"name": "Acme"}


def test_database_lets_nobody_be_put_into_an_entry() -> None:
    """A person can only be taken out of it."""
    audit_event("company.deleted", make_company())

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry._base_manager.update(actor=make_user())


# --- Secrets, and what is too long ------------------------------------------------------------------------------------


def test_what_looks_like_a_secret_is_never_stored() -> None:
    """Wherever it stands, under whatever name; a key that somebody pasted as a name, too."""
    token = encrypt(ApiKey(API_KEY))
    fernet_key = Fernet.generate_key().decode()
    provider = make_provider(name=f"Key {API_KEY}")

    audit_event(
        "provider.renamed",
        provider,
        old={"name": API_KEY, "nested": [{"key": f"({API_KEY})"}], API_KEY[:10]: 1},
        new={"password": "hunter22", "token": 7, "note": f"{token} {fernet_key}", "header": f"Bearer: {API_KEY}"},
    )

    made = AuditEntry.objects.values_list("target_name", "old", "new").get()
    stored = repr(made)
    for secret in (API_KEY, API_KEY[:20], token, fernet_key, "hunter22"):
        assert secret not in stored
    assert made[0] == f"Key {MASK}"
    assert (made[2]["password"], made[2]["token"]) == (MASK, MASK)


def test_secret_is_masked_before_a_text_is_cut() -> None:
    """Half a key would not look like one."""
    filler = "x " * (recording.LONGEST_TEXT // 2 - 10)

    audit_event("company.changed", make_company(), new={"notes": f"{filler}{API_KEY}"})

    assert API_KEY[:8] not in AuditEntry.objects.get().new["notes"]


def test_values_are_kept_small() -> None:
    """An entry is read by people; NUL, which PostgreSQL refuses, is left out."""
    audit_event("company.changed", make_company(), new={"notes": "\0" + "n" * 5000, "keys": ["k"] * 5000, "at": NOW})

    new = AuditEntry.objects.get().new
    assert new["notes"] == "n" * 299 + "…"
    assert len(new["keys"]) == 50
    assert new["at"] == str(NOW)


# --- A flood of failed sign-ins ---------------------------------------------------------------------------------------


def fail(times: int) -> None:
    for _ in range(times):
        audit_event("session.sign_in_failed", User(), new={"step": "password"})


def failures() -> list[dict[str, str]]:
    return list(AuditEntry.objects.filter(action=recording.FAILED).order_by("pk").values_list("new", flat=True))


def test_flood_of_failures_does_not_fill_the_disk(now: object) -> None:
    """Ten an hour from one address are recorded, and the tenth says that there may be more."""
    fail(30)

    assert len(failures()) == 10
    assert failures()[-1] == {"step": "password", "further_failures": "summed up at the end of the hour"}
    assert "further_failures" not in failures()[-2]


def test_flood_from_everywhere_does_not_either(now: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred an hour in all."""
    for number in range(150):
        monkeypatch.setattr(recording, "_address", lambda _request, number=number: f"198.51.100.{number}")
        fail(1)

    assert len(failures()) == 100
    assert "further_failures" in failures()[-1]


def test_after_an_hour_failures_are_recorded_again(now: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """And every other act all the time."""
    fail(30)
    audit_event("session.signed_in", make_user())
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + timedelta(hours=1, seconds=1))

    fail(1)

    assert len(failures()) == 11
    assert entry("session.signed_in")

"""What a flood of failed sign-ins leaves behind: how many, from how many addresses, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.audit import recording, summing
from accounts.audit.summing import SUMMED, count_unrecorded, record_sums
from accounts.models import AuditEntry
from accounts.tasks import sum_up_failures
from core.audit import audit_event
from tests.factories import NOW, make_user

pytestmark = pytest.mark.django_db

AN_HOUR_LATER = NOW + timedelta(hours=1)


def sums() -> list[dict[str, Any]]:
    return list(AuditEntry.objects.filter(action=SUMMED).order_by("pk").values_list("new", flat=True))


def test_what_was_not_recorded_is_summed_up(now: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, when the hour is over."""
    for number in range(130):
        monkeypatch.setattr(recording, "_address", lambda _request, number=number: f"198.51.100.{number % 120}")
        audit_event("session.sign_in_failed", User(), new={"step": "password"})

    assert record_sums(now=NOW) == 0
    assert (record_sums(now=AN_HOUR_LATER), record_sums(now=AN_HOUR_LATER)) == (1, 0)

    assert sums() == [
        {
            "step": "password",
            "further_failures": 30,
            "addresses": 30,
            "from": "2026-11-22 12:00 UTC",
            "to": "2026-11-22 13:00 UTC",
        }
    ]


def test_guesses_that_nobody_looked_at_are_counted_too(now: object) -> None:
    """Those that had to wait have no entry of their own."""
    make_user(username="anna")
    for _attempt in range(9):
        Client().post("/accounts/login/", {"login": "anna", "password": "not-the-password"})

    record_sums(now=AN_HOUR_LATER)

    assert AuditEntry.objects.filter(action=recording.FAILED).count() == 5
    assert [(entry["further_failures"], entry["addresses"]) for entry in sums()] == [(4, 1)]


def test_second_factors_are_counted_apart(now: object) -> None:
    """A flood of passwords hides no wrong code: who gets that far knows a password."""
    for step, times in (("password", 200), ("second factor", 12)):
        for _attempt in range(times):
            audit_event("session.sign_in_failed", User(), new={"step": step})

    record_sums(now=AN_HOUR_LATER)

    assert AuditEntry.objects.filter(action=recording.FAILED, new__step="second factor").count() == 10
    assert {entry["step"]: entry["further_failures"] for entry in sums()} == {"password": 190, "second factor": 2}


def test_hours_that_a_stopped_clock_left_are_told_later(now: object) -> None:
    """Each as its own."""
    count_unrecorded(step="password", address="198.51.100.1")

    assert record_sums(now=NOW + timedelta(days=3)) == 1
    assert sums()[0]["from"] == "2026-11-22 12:00 UTC"


def test_number_of_addresses_is_bounded(now: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody who is not signed in may fill the disk."""
    monkeypatch.setattr(summing, "MOST_ADDRESSES", 3)
    for number in range(9):
        count_unrecorded(step="password", address=f"198.51.100.{number}")

    record_sums(now=AN_HOUR_LATER)

    assert (sums()[0]["further_failures"], sums()[0]["addresses"]) == (9, "more than 3")


def test_clock_sums_up(now: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the product itself, which the entry says."""
    count_unrecorded(step="password", address="198.51.100.1")
    monkeypatch.setattr("django.utils.timezone.now", lambda: AN_HOUR_LATER)

    sum_up_failures()

    assert AuditEntry.objects.get(action=SUMMED).address == ""

"""What is deleted when it has grown too old, and what never is."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import AuditEntry, Session
from administrate import retention, tasks
from administrate.retention import clean_up
from alerts.models import Alert
from api.models import KeptAnswer
from api.services import create_token
from costs.models import ConversationDay, Restatement
from providers.models import AssignmentChange, Provider, SyncRun
from tests.factories import NOW, TODAY, make_project, make_provider, make_run, make_user
from tests.providers.commands import ran

pytestmark = pytest.mark.django_db


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def make_entry(*, at: datetime) -> AuditEntry:
    return AuditEntry.objects.create(at=at, actor_name="anna", action="company.changed", target_type="company")


def make_finished(provider: Provider, *, days: float, outcome: str = "succeeded") -> SyncRun:
    return make_run(provider=provider, outcome=outcome, finished_at=days_ago(days))


def cleaned(**options: Any) -> dict[str, int]:
    """How many of each kind, without those of which there was none."""
    return {each.what: each.number for each in clean_up(now=NOW, **options) if each.number}


# --- Audit entries ----------------------------------------------------------------------------------------------------


def test_audit_entries_go_after_their_time(settings: Settings) -> None:
    """Two years unless the operator says otherwise."""
    make_entry(at=days_ago(730.01))
    kept = make_entry(at=days_ago(729.99))

    assert django_settings.AUDIT_KEEP_DAYS == 730
    assert cleaned() == {"Audit entries": 1}
    assert list(AuditEntry.objects.all()) == [kept]


def test_zero_keeps_for_ever(settings: Settings) -> None:
    """Both kinds."""
    settings.AUDIT_KEEP_DAYS = settings.SYNC_RUN_KEEP_DAYS = 0
    provider = make_provider()
    make_entry(at=days_ago(9000))
    make_finished(provider, days=9000)
    make_finished(provider, days=1)

    assert cleaned() == {}


# --- Sync runs --------------------------------------------------------------------------------------------------------


def test_sync_runs_go_after_their_time() -> None:
    """Ninety days after they ended; one that has not ended never goes."""
    provider = make_provider()
    make_finished(provider, days=91)
    kept = make_finished(provider, days=89)
    unfinished = make_run(provider=provider, queued_at=days_ago(300))

    assert cleaned() == {"Sync runs": 1}
    assert set(SyncRun.objects.all()) == {kept, unfinished}


def test_the_latest_run_of_each_outcome_stays() -> None:
    """Of every provider: when it last worked, and why it last did not, can always be seen."""
    kept = set()
    for provider in (make_provider(), make_provider()):
        for outcome in ("succeeded", "failed", "needs_look"):
            make_finished(provider, days=200, outcome=outcome)
            make_finished(provider, days=150, outcome=outcome)
            kept.add(make_finished(provider, days=150, outcome=outcome))

    assert cleaned() == {"Sync runs": 12}
    assert set(SyncRun.objects.all()) == kept


def test_a_run_that_explains_a_restatement_stays() -> None:
    """By which sync a settled figure has changed is asked years later."""
    project = make_project()
    explains, other = (make_finished(project.provider, days=days) for days in (200, 199))
    latest = make_finished(project.provider, days=1)
    Restatement.objects.create(project=project, day=TODAY, run=explains, restated_at=days_ago(200))

    assert cleaned() == {"Sync runs": 1}
    assert set(SyncRun.objects.all()) == {explains, latest}
    assert Restatement.objects.get().run == explains
    assert other.pk


# --- What else --------------------------------------------------------------------------------------------------------


def test_assignments_can_be_undone_for_a_year() -> None:
    """Then only what they came to is kept, in the assignments and in the audit log."""
    for days in (366, 364):
        AssignmentChange.objects.create(made_at=days_ago(days), summary=f"{days}", before={}, after={})

    assert cleaned() == {"Assignments that could be undone": 1}
    assert AssignmentChange.objects.get().summary == "364"


def test_conversations_are_kept_for_a_hundred_days() -> None:
    """As long as they are evidence."""
    provider = make_provider()
    for days in (101, 100):
        ConversationDay.objects.create(provider=provider, day=days_ago(days).date(), read_at=NOW)

    assert cleaned() == {"Days of agents' conversations": 1}
    assert ConversationDay.objects.get().day == days_ago(100).date()


def test_answers_to_programs_are_kept_for_a_day() -> None:
    """Then a request with the same key is a new one."""
    token, _text = create_token(user=make_user(), name="Script", scopes=["costs:read"], now=NOW)
    for hours in (25, 23):
        KeptAnswer.objects.create(
            token=token, key=f"{hours}", request_digest="", status=201, body="", made_at=NOW - timedelta(hours=hours)
        )

    assert cleaned() == {"Kept answers of the API": 1}
    assert KeptAnswer.objects.get().key == "23"


def test_expired_sessions_go(client: Client, now: datetime) -> None:
    """Whoever is still signed in stays so."""
    user = make_user()
    client.force_login(user)
    Session.objects.create(session_key="gone", user=user, session_data="", expire_date=NOW - timedelta(seconds=1))

    assert cleaned() == {"Expired sessions": 1}
    assert Session.objects.get().user == user
    assert client.get("/settings/").status_code == 200


def test_expired_cache_entries_go() -> None:
    """Those that still count stay: the sign-in throttle's among them."""
    cache.clear()
    cache.set("alive", 1, timeout=10**9)
    cache.set("for-ever", 1, timeout=None)
    cache.set("gone", 1, timeout=10**9)
    cache.touch("gone", timeout=-5)
    now = datetime.now(tz=NOW.tzinfo)

    assert [each.number for each in clean_up(now=now, dry_run=True)][-1] == 1
    assert [each.number for each in clean_up(now=now)][-1] == 1
    assert (cache.get("alive"), cache.get("for-ever"), cache.get("gone")) == (1, 1, None)
    cache.clear()


def test_alerts_are_kept_for_more_than_a_year() -> None:
    """So that the same month of the year before can be looked at; what was read and delivered goes with them."""
    for age in (399, 401):
        Alert.objects.create(
            key=str(age), raised_at=days_ago(age), kind="test", severity=1, title="", text="", path="/"
        )

    list(clean_up(now=NOW))

    assert [alert.key for alert in Alert.objects.all()] == ["399"]


# --- How --------------------------------------------------------------------------------------------------------------


def test_it_goes_in_small_batches_and_may_be_repeated(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    """A second time finds nothing."""
    monkeypatch.setattr(retention, "BATCH", 4)
    for _ in range(10):
        make_entry(at=days_ago(800))

    with django_assert_num_queries(3 * 2 + 1 + 7):  # three batches and a look for a fourth; a look at the other kinds
        first = cleaned()

    assert first == {"Audit entries": 10}
    assert cleaned() == {}


def test_dry_run_deletes_nothing() -> None:
    """It counts what would go."""
    make_entry(at=days_ago(800))

    assert cleaned(dry_run=True) == {"Audit entries": 1}
    assert AuditEntry.objects.exists()


def test_command_says_what_it_did(now: datetime) -> None:
    """And what it would do."""
    make_entry(at=days_ago(800))

    assert "Audit entries: 1 would be deleted" in ran("clean_up", "--dry-run")
    assert "Audit entries: 1 deleted" in ran("clean_up")
    assert "Audit entries: 0 deleted" in ran("clean_up")


def test_beat_asks_for_it_once_a_day(now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    """The task is one that workers know, and its log says what went."""
    make_entry(at=days_ago(800))
    schedule = django_settings.CELERY_BEAT_SCHEDULE["clean-up-every-night"]

    with caplog.at_level(logging.INFO):
        tasks.clean_up()

    assert schedule["task"] == tasks.clean_up.name
    assert str(schedule["schedule"]) == "<crontab: 40 3 * * * (m/h/dM/MY/d)>"
    assert not AuditEntry.objects.exists()
    assert "Deleted: 1 audit entries" in caplog.text

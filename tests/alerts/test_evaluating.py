"""When budgets and rules are looked at: apart from what asked, soon after it, and in any case now and then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from kombu.exceptions import OperationalError

from administrate.celery import app
from alerts import tasks
from alerts.evaluation import evaluate_if_asked
from alerts.evaluation.evaluating import AT_LEAST_EVERY, LEASE
from alerts.models import Alert, EvaluationRequest, Lane
from core.audit import audit_event
from providers.models import SyncRun
from syncing.runs import finish_run
from syncing.tasks import sync
from tests.alerts.worlds import Spender, make_budget
from tests.factories import NOW, make_assignment, make_company, make_project, make_run

pytestmark = pytest.mark.django_db

BEAT: dict[str, Any] = settings.CELERY_BEAT_SCHEDULE
WATCHING = (tasks.evaluate, tasks.deliver, tasks.sweep)


@pytest.fixture
def watched(acme: Spender) -> Spender:
    """A budget that will be passed, evaluated once while it is not."""
    make_budget(company=acme.company, percents=[80])
    evaluate_if_asked(now=NOW)
    return acme


def reasons() -> list[str]:
    return list(EvaluationRequest.objects.values_list("reason", flat=True))


def test_a_sync_that_ends_asks(acme: Spender) -> None:
    """Whatever came of it."""
    EvaluationRequest.objects.all().delete()

    finish_run(run=make_run(provider=acme.provider), outcome=SyncRun.Outcome.FAILED, error_code="x", now=NOW)

    assert reasons() == ["sync"]


def test_assignments_budgets_and_closed_months_ask(acme: Spender) -> None:
    """In the transaction of each."""
    EvaluationRequest.objects.all().delete()
    make_assignment(project=make_project(provider=acme.provider), company=make_company())
    make_budget(company=acme.company)
    audit_event("month.closed", "2026-10")

    assert reasons() == ["assignments", "budget.made", "month.closed"]


def test_an_evaluation_answers_all_requests(watched: Spender) -> None:
    """One for many; without any nothing is read."""
    watched.spends("83")
    for _number in range(3):
        EvaluationRequest.objects.create(reason="sync", asked_at=NOW)

    assert evaluate_if_asked(now=NOW)
    assert not evaluate_if_asked(now=NOW)
    assert (reasons(), Alert.objects.filter(kind="budget.threshold_passed").count()) == ([], 1)


def test_time_alone_brings_one_about(watched: Spender) -> None:
    """Silence is noticed by nobody's act."""
    assert not evaluate_if_asked(now=NOW + AT_LEAST_EVERY - timedelta(seconds=1))
    assert evaluate_if_asked(now=NOW + AT_LEAST_EVERY)


def test_one_that_dies_is_repeated(watched: Spender, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its requests stay, and its lease ends by itself."""
    watched.spends("83")
    EvaluationRequest.objects.create(reason="sync", asked_at=NOW)
    with monkeypatch.context() as dying:
        dying.setattr("alerts.evaluation.evaluating.evaluate_budgets", lambda _world: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            evaluate_if_asked(now=NOW)
    Lane.objects.update(claimed_until=NOW + LEASE)

    assert not evaluate_if_asked(now=NOW + LEASE / 2)
    assert evaluate_if_asked(now=NOW + LEASE)
    assert Alert.objects.filter(kind="budget.threshold_passed").count() == 1


def test_a_queue_that_is_away_fails_no_sync(
    acme: Spender, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """The request is a row, and the sweep finds it."""

    def refuse(*_arguments: object, **_options: object) -> None:
        raise OperationalError

    monkeypatch.setattr(tasks.evaluate, "apply_async", refuse)

    with django_capture_on_commit_callbacks(execute=True):
        finish_run(run=make_run(provider=acme.provider), outcome=SyncRun.Outcome.SUCCEEDED, now=NOW)

    assert "sync" in reasons()


def test_what_a_lost_message_was_about_is_evaluated_within_a_minute(watched: Spender, now: datetime) -> None:
    """By the sweep, which comes twice a minute."""
    watched.spends("83")
    EvaluationRequest.objects.create(reason="sync", asked_at=now)

    tasks.sweep.apply(throw=True)

    assert Alert.objects.filter(kind="budget.threshold_passed").count() == 1
    (seconds,) = (one["schedule"] for one in BEAT.values() if one["task"] == tasks.sweep.name)
    assert seconds <= 30


def test_no_line_of_syncs_is_waited_in() -> None:
    """A thousand of them begin every hour; workers take from both queues in turn."""
    queues = {task.name: app.amqp.router.route({}, task.name)["queue"].name for task in (sync, *WATCHING)}

    assert queues == {sync.name: "celery", **dict.fromkeys([task.name for task in WATCHING], "alerts")}
    assert set(app.amqp.queues.consume_from) == {"celery", "alerts"}


def test_two_at_once_tell_once(watched: Spender) -> None:
    """Whoever finds the lane taken leaves; who got past it finds the threshold fired."""
    watched.spends("83")
    EvaluationRequest.objects.create(reason="sync", asked_at=NOW)
    Lane.objects.update(claimed_until=NOW + LEASE)

    assert not evaluate_if_asked(now=NOW)
    assert not Alert.objects.filter(kind="budget.threshold_passed").exists()

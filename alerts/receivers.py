"""What has an evaluation asked for: a sync that ended, assignments, sharing, budgets, a closed month.

The request is a row of the act's own transaction, only ever inserted, so that nobody waits for it and none is lost. The
message to a worker after the commit is a hint that may fail: the sweep looks for requests as well.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from alerts.models import EvaluationRequest
from alerts.queue import evaluate_after_commit
from core.audit import audit_signal
from providers import signals

# Of the acts in the audit log, those that change what is watched, by their nouns.
NOUNS = frozenset({"budget", "month", "provider", "alert"})
_UNHEARD = frozenset({"alert.test_sent"})


def connect() -> None:
    def after_sync(**_signal: Any) -> None:
        ask_for_evaluation("sync")

    def after_assigning(**_signal: Any) -> None:
        ask_for_evaluation("assignments")

    def after_act(action: str, **_signal: Any) -> None:
        if action.partition(".")[0] in NOUNS and action not in _UNHEARD:
            ask_for_evaluation(action)

    signals.sync_ended.connect(after_sync, weak=False, dispatch_uid="alerts")
    signals.assignments_changed.connect(after_assigning, weak=False, dispatch_uid="alerts")
    signals.sharing_changed.connect(after_assigning, weak=False, dispatch_uid="alerts")
    audit_signal.connect(after_act, weak=False, dispatch_uid="alerts")


def ask_for_evaluation(reason: str) -> None:
    EvaluationRequest.objects.create(reason=reason, asked_at=timezone.now())
    evaluate_after_commit()

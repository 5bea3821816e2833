"""When an evaluation happens: soon after something has changed, and every few minutes for what time alone brings."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from alerts.evaluation.budgets import evaluate_budgets
from alerts.evaluation.watching import evaluate_rules
from alerts.lanes import lane_of_ones_own
from alerts.models import EvaluationRequest, Lane
from alerts.rules.world import World

logger = logging.getLogger(__name__)

LANE = "evaluation"
LEASE = timedelta(minutes=2)
# Without a change: "nothing was read for 36 hours" comes by nobody's act.
AT_LEAST_EVERY = timedelta(minutes=10)


def evaluate_if_asked(*, now: datetime) -> bool:
    """Evaluate budgets and rules where something asked for it; whether they were.

    Requests are deleted after the evaluation that read what they are about, so that one that dies is repeated.
    """
    with lane_of_ones_own(LANE, now=now, lasts=LEASE) as is_ours:
        if not is_ours:
            return False
        asked = list(EvaluationRequest.objects.values_list("pk", flat=True))
        lane = Lane.objects.get(name=LANE)
        if not asked and lane.done_at and now - AT_LEAST_EVERY < lane.done_at <= now:
            return False
        world = World(now)
        evaluate_budgets(world)
        evaluate_rules(world)
        for start in range(0, len(asked), 500):
            EvaluationRequest.objects.filter(pk__in=asked[start : start + 500]).delete()
        Lane.objects.filter(name=LANE).update(done_at=now)
    return True

"""Watched (``budget``, ``watching``, ``unusual``), what was noticed (``alert``), how it is told (the others)."""

from alerts.models.alert import Alert, AlertEvent, Receipt, Severity
from alerts.models.budget import Budget, BudgetQuerySet, Passing, Threshold
from alerts.models.delivery import Attempt, Delivery, Endpoint, Lane
from alerts.models.people import Preferences, Subscription
from alerts.models.unusual import SpendEpisode
from alerts.models.watching import EvaluationRequest, RuleMemory, RuleSetting

__all__ = [
    "Alert",
    "AlertEvent",
    "Attempt",
    "Budget",
    "BudgetQuerySet",
    "Delivery",
    "Endpoint",
    "EvaluationRequest",
    "Lane",
    "Passing",
    "Preferences",
    "Receipt",
    "RuleMemory",
    "RuleSetting",
    "Severity",
    "SpendEpisode",
    "Subscription",
    "Threshold",
]

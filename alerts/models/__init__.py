"""Watched (``budget``, ``watching``), what was noticed (``alert``), how it is told (``delivery``, ``people``)."""

from alerts.models.alert import Alert, AlertEvent, Receipt, Severity
from alerts.models.budget import Budget, BudgetQuerySet, Passing, Threshold
from alerts.models.delivery import Attempt, Delivery, Endpoint, Lane
from alerts.models.people import Preferences, Subscription
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
    "Subscription",
    "Threshold",
]

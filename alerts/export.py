"""What an export of everything holds of this app: never the address or the secret of a webhook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db.models import QuerySet

from alerts.models import Alert, Budget, Endpoint, Preferences, RuleSetting, Severity, SpendEpisode, Subscription

# Headings, each with the function of its cells.
Columns = Mapping[str, Callable[[Any], object]]


def exported() -> Mapping[str, tuple[QuerySet[Any], Columns]]:
    """The rows and columns of each file."""
    return {
        "budgets.csv": (
            Budget.objects.with_subjects().select_related("made_by").prefetch_related("thresholds").order_by("pk"),
            _BUDGET,
        ),
        "alerts.csv": (Alert.objects.select_related("company", "provider").order_by("pk"), _ALERT),
        "unusual_spending.csv": (
            SpendEpisode.objects.with_subjects().select_related("feedback_by").order_by("pk"),
            _EPISODE,
        ),
        "watching.csv": (RuleSetting.objects.order_by("pk"), _RULE),
        "notifications.csv": (Preferences.objects.select_related("user").order_by("pk"), _PREFERENCES),
        "subscriptions.csv": (Subscription.objects.select_related("user", "company").order_by("pk"), _SUBSCRIPTION),
        "webhooks.csv": (Endpoint.objects.order_by("pk"), _ENDPOINT),
    }


_BUDGET: Final[Columns] = {
    "id": lambda budget: budget.pk,
    "of": lambda budget: _kind_of(budget),
    "subject": lambda budget: budget.subject,
    "period": lambda budget: budget.period,
    "amount": lambda budget: budget.amount,
    "currency": lambda budget: budget.currency,
    "starts_on": lambda budget: budget.starts_on,
    "ends_on": lambda budget: budget.ends_on,
    "thresholds": lambda budget: "; ".join(f"{each.kind} {each}" for each in budget.thresholds.all()),
    "made_by": lambda budget: budget.made_by,
    "made_at": lambda budget: budget.made_at,
}
_ALERT: Final[Columns] = {
    "id": lambda alert: alert.pk,
    "kind": lambda alert: alert.kind,
    "severity": lambda alert: _severity(alert.severity),
    "title": lambda alert: alert.title,
    "text": lambda alert: alert.text,
    "company": lambda alert: alert.company,
    "provider": lambda alert: alert.provider,
    "raised_at": lambda alert: alert.raised_at,
    "ended_at": lambda alert: alert.ended_at,
}
_EPISODE: Final[Columns] = {
    "id": lambda episode: episode.pk,
    "of": lambda episode: _kind_of(episode),
    "subject": lambda episode: episode.subject,
    "first_day": lambda episode: episode.first_day,
    "last_day": lambda episode: episode.last_day,
    "currency": lambda episode: episode.currency,
    "actual": lambda episode: episode.actual,
    "expected": lambda episode: episode.expected,
    "ended": lambda episode: episode.ended,
    "feedback": lambda episode: episode.feedback,
    "feedback_by": lambda episode: episode.feedback_by,
    "feedback_at": lambda episode: episode.feedback_at,
}
_RULE: Final[Columns] = {
    "rule": lambda setting: setting.slug,
    "is_on": lambda setting: setting.is_on,
    "limit": lambda setting: setting.limit,
}
_PREFERENCES: Final[Columns] = {
    "username": lambda preferences: preferences.user,
    "email": lambda preferences: preferences.email,
    "mail": lambda preferences: preferences.mail,
    "mail_from": lambda preferences: _severity(preferences.mail_minimum),
    "list_from": lambda preferences: _severity(preferences.list_minimum),
    "quiet_from": lambda preferences: preferences.quiet_from,
    "quiet_until": lambda preferences: preferences.quiet_until,
}
_SUBSCRIPTION: Final[Columns] = {
    "username": lambda subscription: subscription.user,
    "company": lambda subscription: subscription.company,
    "from": lambda subscription: _severity(subscription.minimum),
}
_ENDPOINT: Final[Columns] = {
    "id": lambda endpoint: endpoint.pk,
    "kind": lambda endpoint: endpoint.kind,
    "host": lambda endpoint: endpoint.host,
    "from": lambda endpoint: _severity(endpoint.minimum),
    "made_at": lambda endpoint: endpoint.made_at,
    "disabled_at": lambda endpoint: endpoint.disabled_at,
    "disabled_reason": lambda endpoint: endpoint.disabled_reason,
}


def _kind_of(row: Budget | SpendEpisode) -> str:
    """What it is of: "company", "provider", "project" – an API key –, "everything"."""
    return row.subject_key.partition(":")[0]


def _severity(number: int) -> str:
    return "nothing" if number == Subscription.NEVER else Severity(number).name.lower()

"""What the audit log calls the acts of this app."""

from core.audit import AuditGroup, register_labels

WATCHING = AuditGroup(7, "watching", "Budgets and alerts")


def register() -> None:
    register_labels(
        {
            "budget.made": "Budget made",
            "budget.changed": "Budget changed",
            "budget.deleted": "Budget deleted",
            "endpoint.added": "Webhook added",
            "endpoint.secret_replaced": "Webhook's secret replaced",
            "endpoint.enabled": "Webhook switched on",
            "endpoint.disabled": "Webhook switched off",
            "endpoint.deleted": "Webhook deleted",
            "notifications.changed": "Own notifications changed",
            "subscription.made": "Subscription made",
            "subscription.changed": "Subscription changed",
            "subscription.deleted": "Subscription deleted",
            "unusual.judged": "Unusual spending explained",
            "alert.rule_changed": "What is watched changed",
            "alert.test_sent": "Test alert sent",
        },
        group=WATCHING,
    )

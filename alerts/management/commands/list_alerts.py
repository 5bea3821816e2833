"""manage.py list_alerts"""

import json
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from alerts.evaluation import evaluate_if_asked
from alerts.models import Alert, Severity
from core.commands import ProductCommand


class Command(ProductCommand):
    help = "List the alerts that were raised, newest first; what has changed since the last look is evaluated before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=("text", "json"), default="text")
        parser.add_argument("--limit", type=int, default=100, help="at most so many (default: 100)")

    def handle(self, *args: Any, **options: Any) -> None:
        evaluate_if_asked(now=timezone.now())
        alerts = Alert.objects.select_related("company", "provider").prefetch_related("deliveries", "events")
        found = list(alerts[: max(options["limit"], 0)])
        if options["format"] == "json":
            self.stdout.write(json.dumps([_as_data(alert) for alert in found], indent=2, ensure_ascii=False))
            return
        for alert in found:
            self.stdout.write(f"{alert.raised_at:%Y-%m-%d %H:%M}  {Severity(alert.severity).label}  {alert.title}")
        if not found:
            self.stdout.write("No alerts.")


def _as_data(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "type": alert.kind,
        "severity": Severity(alert.severity).name.lower(),
        "title": alert.title,
        "text": alert.text,
        "company": alert.company.name if alert.company else None,
        "provider": alert.provider.name if alert.provider else None,
        "raised_at": alert.raised_at.isoformat(),
        "ended_at": alert.ended_at.isoformat() if alert.ended_at else None,
        "data": alert.facts,
        "events": [
            {"at": event.at.isoformat(), "type": event.kind, "text": event.text} for event in alert.events.all()
        ],
        "deliveries": {
            state: sum(delivery.state == state for delivery in alert.deliveries.all())
            for state in ("waiting", "sent", "failed")
        },
    }

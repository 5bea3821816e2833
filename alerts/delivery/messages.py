"""An alert as it is sent: the body of a webhook, of Slack, of a mail. One place for what each says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from alerts.models import Alert, Severity

# Standard Webhooks wants bodies below 20 kB.
LONGEST_TEXT = 4000


def absolute(path: str) -> str:
    """The whole address of a page, by the product's own name (SITE_URL)."""
    return f"{settings.SITE_URL}{path}"


@dataclass(frozen=True)
class Message:
    """What is said of one alert – to a company's viewers (``is_client``) only what is theirs."""

    alert: Alert
    is_client: bool = False

    @property
    def title(self) -> str:
        return self.alert.words(to_client=self.is_client)[0]

    @property
    def sentences(self) -> list[str]:
        return self.alert.words(to_client=self.is_client)[1].splitlines()

    @property
    def url(self) -> str:
        return absolute(self.alert.client_path if self.is_client else self.alert.path)

    @property
    def severity(self) -> str:
        return str(Severity(self.alert.severity).label)

    @property
    def webhook(self) -> dict[str, Any]:
        """Standard Webhooks: type, timestamp, data."""
        return {
            "type": self.alert.kind,
            "timestamp": self.alert.raised_at.isoformat(),
            "data": {
                "id": self.alert.pk,
                "severity": Severity(self.alert.severity).name.lower(),
                "title": self.title,
                "text": "\n".join(self.sentences)[:LONGEST_TEXT],
                "url": self.url,
                **self.alert.facts,
            },
        }

    @property
    def slack(self) -> dict[str, Any]:
        """An incoming webhook's ``text`` and ``blocks``; what people named is escaped as Slack asks."""
        title, lines = _slack(self.title), "\n".join(_slack(line) for line in self.sentences)
        return {
            "text": f"{title}\n{lines}",
            "blocks": [
                {"type": "section", "text": {"type": "mrkdwn", "text": f"*{title}*\n{lines}"[:2900]}},
                {"type": "context", "elements": [{"type": "mrkdwn", "text": f"{self.severity} · <{self.url}|Open>"}]},
            ],
        }


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

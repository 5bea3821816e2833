"""Conversations of voice agents, as sums per agent and day: evidence for sharing usage, never added to it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Self

from django.db import models

from providers.models import Provider

# What a day's conversations cost may still change for so long after it.
CONVERSATIONS_SETTLE_AFTER = timedelta(days=3)


class ConversationDayQuerySet(models.QuerySet["ConversationDay"]):
    def for_provider(self, provider: Provider) -> Self:
        return self.filter(provider=provider)

    def between(self, first: date, last: date) -> Self:
        return self.filter(day__gte=first, day__lte=last)


class ConversationDay(models.Model):
    """What the conversations of one UTC day were, by agent; nothing is kept of any single one, or of who spoke."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="conversation_days")
    day = models.DateField()
    read_at = models.DateTimeField()
    # {agent id: [calls, seconds, credits as text or null, US dollars as text or null]}
    agents = models.JSONField(default=dict)

    objects = ConversationDayQuerySet.as_manager()

    class Meta:
        ordering = ("day",)
        constraints = (models.UniqueConstraint(fields=["provider", "day"], name="conversationday_unique"),)

    def __str__(self) -> str:
        return f"{self.provider} {self.day.isoformat()}"

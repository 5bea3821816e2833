"""When to look, and what the rules (alerts.rules) need to know between two looks."""

from __future__ import annotations

from django.db import models


class EvaluationRequest(models.Model):
    """Something has changed that budgets and rules are about; written in the transaction that changed it.

    Only inserted and deleted, so that nobody waits for anybody's lock.
    """

    reason = models.CharField(max_length=40)
    asked_at = models.DateTimeField()

    objects = models.Manager["EvaluationRequest"]()

    def __str__(self) -> str:
        return self.reason


class RuleSetting(models.Model):
    """What an Admin chose of a rule; without a row it is as the rule says, with its own limit."""

    slug = models.CharField(max_length=60, primary_key=True)
    is_on = models.BooleanField(default=True)
    limit = models.DecimalField(max_digits=14, decimal_places=2, null=True)

    objects = models.Manager["RuleSetting"]()

    def __str__(self) -> str:
        return self.slug


class RuleMemory(models.Model):
    """What a rule has to remember of a subject, to tell what has changed."""

    slug = models.CharField(max_length=60)
    subject = models.CharField(max_length=60)
    value = models.JSONField()

    objects = models.Manager["RuleMemory"]()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["slug", "subject"], name="rulememory_unique"),)

    def __str__(self) -> str:
        return f"{self.slug} of {self.subject}"

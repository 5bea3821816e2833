"""API tokens. Of a token's secret only a digest is stored: a copy of the database opens nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.contrib.auth.models import User
from django.db import models
from django.db.models.expressions import Combinable
from django.utils import timezone

from providers.models import Company


class Scope(models.TextChoices):
    """What a token is for. The owner's permissions limit it (api.doors)."""

    COSTS = "costs:read", "Costs, companies, budgets, alerts and restatements"
    STATEMENTS = "statements:read", "Statements"
    PROVIDERS = "providers:read", "Providers, API keys, assignments, rules and syncs"
    SYNC = "sync:write", "Ask for a sync"
    ATTRIBUTION = "attribution:write", "Change companies, assignments and rules"
    AUDIT = "audit:read", "The audit log"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def valid(self, now: datetime | Combinable) -> Self:
        """Those that open something. A person who was deactivated has none; one who was removed took theirs along."""
        return self.filter(revoked_at=None, expires_at__gt=now, user__is_active=True)


class ApiToken(models.Model):
    """A program's key to what its owner may see and do, narrowed by scopes and, perhaps, to one company."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    public_id = models.CharField(max_length=8, unique=True, help_text="The readable part of the token.")
    secret_digest = models.CharField(max_length=64, help_text="SHA-256 of the secret part, hexadecimal.")
    scopes = models.JSONField(default=list)
    # A restriction must not fall away with the company.
    company = models.ForeignKey(
        Company, null=True, on_delete=models.CASCADE, related_name="+", help_text="Empty: whatever the owner sees."
    )
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="Written at most once a minute.")
    known_addresses = models.JSONField(default=list, help_text="From where it was used; of IPv6 the network.")

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.name} (adm_{self.public_id})"

    def state(self, now: datetime) -> str:
        """In a word, for people."""
        if self.revoked_at is not None:
            return "Revoked"
        return "Valid" if self.expires_at > now else "Expired"

    @property
    def scope_labels(self) -> list[str]:
        return [str(Scope(scope).label) for scope in self.scopes]


class KeptAnswer(models.Model):
    """What a request with an Idempotency-Key came to: repeated within a day it gets the same answer."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="kept_answers")
    key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64, help_text="SHA-256 of method, address and body.")
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    made_at = models.DateTimeField()

    objects = models.Manager["KeptAnswer"]()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["token", "key"], name="keptanswer_unique"),)
        indexes = (
            # What has grown too old.
            models.Index(fields=["made_at"], name="keptanswer_made"),
        )

    def __str__(self) -> str:
        return f"{self.token}: {self.key}"

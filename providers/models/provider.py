"""A connected workspace (Provider) and what its usage belongs to: its API keys and agents (Project)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse

from core import secrets

LATE_AFTER = timedelta(hours=2)

# How long a claim lasts without another sign of life: longer than the longest silence of a healthy sync (one request
# with its wait), short enough to wait for.
LEASE = timedelta(minutes=3)
LONGEST_CLAIM = 2 * LEASE


def unclaimed(now: Any, path: str = "", *, longest: Any = None) -> models.Q:
    """The condition that no worker syncs the provider (at ``path`` of the queried model).

    A claim that lasts longer than any could was taken by a clock that ran ahead, and is ignored. Expressions may stand
    for ``now`` and for the moment that is ``longest`` after it.
    """
    until = f"{path}claimed_until"
    beyond = now + LONGEST_CLAIM if longest is None else longest
    return models.Q((until, None)) | models.Q((f"{until}__lte", now)) | models.Q((f"{until}__gt", beyond))


class ProviderQuerySet(models.QuerySet["Provider"]):
    def active(self) -> Self:
        """Those that are synced by themselves: not paused."""
        return self.filter(paused_at=None)

    def due(self, now: datetime) -> Self:
        """Active ones whose next hourly sync should have started."""
        return self.active().filter(models.Q(next_due_at=None) | models.Q(next_due_at__lte=now))


class Provider(models.Model):
    """A workspace at a provider of voice AI, connected by one API key."""

    class Status(models.TextChoices):
        CONNECTED = "connected", "Connected"
        SYNCING = "syncing", "Syncing"
        LATE = "late", "Late"
        FAILED = "failed", "Sync failed"
        PAUSED = "paused", "Paused"
        DISCONNECTED = "disconnected", "Disconnected"

    class Source(models.TextChoices):
        ANALYTICS = "analytics", "Usage per API key"
        ACCOUNT_TOTALS = "account_totals", "Account totals"

    class KeylessSharing(models.TextChoices):
        NONE = "none", "Left unassigned"
        EVENLY = "evenly", "Shared evenly"
        BY_USAGE = "by_usage", "Shared by usage"

    class AgentUsage(models.TextChoices):
        """Whether usage says which agent used it, as syncs have found out."""

        UNKNOWN = "", "Not known yet"
        NO_PERMISSION = "no_permission", "Agents may not be listed"
        TOLD = "told", "Usage names agents"
        NOT_TOLD = "not_told", "Usage does not name agents"

    class AttributesBy(models.TextChoices):
        KEY = "key", "API key"
        AGENT = "agent", "Agent"

    type = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    region = models.CharField(max_length=40, blank=True)  # empty where the type has none

    encrypted_key = models.TextField(editable=False)
    key_last_four = models.CharField(max_length=4, blank=True, editable=False)
    key_fingerprint = models.CharField(max_length=64, editable=False)

    paused_at = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=300, blank=True, editable=False, help_text="Why it paused by itself.")
    disconnected_at = models.DateTimeField(null=True, editable=False, help_text="When its key was given up for good.")
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    failure_code = models.CharField(max_length=40, blank=True, editable=False)
    failure_text = models.TextField(blank=True, editable=False)
    last_synced_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_due_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Who syncs it at this moment, and until when that is believed without another sign of life.
    claimed_by = models.CharField(max_length=120, blank=True, editable=False)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)

    # Chosen when connecting; the totals of an account already hold what its keys used.
    source = models.CharField(max_length=20, choices=Source, default=Source.ANALYTICS, editable=False)
    cost_from = models.DateField(
        null=True, editable=False, help_text="The first UTC day known to be billed by cost instead of credits."
    )
    credit_rate = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        help_text="Estimated cost of 1,000 credits, where the provider reports no cost at all.",
    )
    credit_rate_currency = models.CharField(max_length=3, blank=True)
    keyless_sharing = models.CharField(
        max_length=20,
        choices=KeylessSharing,
        default=KeylessSharing.NONE,
        help_text="What becomes of usage without an API key, as long as it is not assigned itself.",
    )
    agent_usage = models.CharField(
        max_length=20, choices=AgentUsage, default=AgentUsage.UNKNOWN, blank=True, editable=False
    )
    attributes_by = models.CharField(
        max_length=20,
        choices=AttributesBy,
        default=AttributesBy.KEY,
        help_text="What usage of an agent belongs to that was made with an API key.",
    )
    allocates_by_conversations = models.BooleanField(
        default=False, help_text="Whether usage without a key is shared by conversations where it names no agent."
    )
    divides_by_person = models.BooleanField(
        default=False, help_text="Whether what remains without a key is divided by person; their names then appear."
    )
    refused_since = models.DateTimeField(null=True, editable=False, help_text="When it first refused the key.")
    nightly_on = models.DateField(null=True, editable=False, help_text="The UTC day of the latest nightly sync.")
    history_from = models.DateField(help_text="The first UTC day that the initial sync reads.")
    currency = models.CharField(max_length=3, blank=True, editable=False)
    subscription = models.JSONField(null=True, blank=True, editable=False)
    subscription_read_at = models.DateTimeField(null=True, blank=True, editable=False)
    account_read_at = models.DateTimeField(
        null=True, editable=False, help_text="When plan, API keys and names of models were last read."
    )
    account_failure = models.CharField(
        max_length=40, blank=True, editable=False, help_text="Why the latest attempt to read them failed: a code."
    )
    noted_columns = models.JSONField(
        default=list, editable=False, help_text="Columns of answers that are not read and were remarked on."
    )
    model_names = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                Lower("name"),
                name="provider_name_unique",
                violation_error_message="A provider with this name already exists.",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("providers:detail", args=[self.pk])

    def clean(self) -> None:
        if secrets.looks_like_key(self.name):
            raise ValidationError({"name": secrets.LOOKS_LIKE_KEY})

    @property
    def api_key(self) -> secrets.ApiKey:
        """The key in its masking wrapper; raises core.secrets.KeyUnreadableError."""
        return secrets.decrypt(self.encrypted_key)

    @api_key.setter
    def api_key(self, key: secrets.ApiKey) -> None:
        self.encrypted_key = secrets.encrypt(key)
        self.key_last_four = key.last_four
        self.key_fingerprint = key.fingerprint

    def is_claimed(self, now: datetime) -> bool:
        """The opposite of unclaimed()."""
        return self.claimed_until is not None and now < self.claimed_until <= now + LONGEST_CLAIM

    def status(self, now: datetime) -> Status:
        """What the provider's state is called at ``now``; derived, so that it can't get stuck."""
        if self.disconnected_at is not None:
            return self.Status.DISCONNECTED
        if self.paused_at is not None:
            return self.Status.PAUSED
        if self.is_claimed(now):
            return self.Status.SYNCING
        if self.failure_code:
            return self.Status.FAILED
        if (self.last_synced_at or self.created_at) < now - LATE_AFTER:
            return self.Status.LATE
        return self.Status.CONNECTED


class ProjectQuerySet(models.QuerySet["Project"]):
    def for_provider(self, provider: Provider) -> Self:
        return self.filter(provider=provider)

    def api_keys(self) -> Self:
        """Every API key that was ever known: neither usage without a key nor an account's totals."""
        return self.filter(kind=Project.Kind.KEY)

    def agents(self) -> Self:
        """Every agent that was ever listed."""
        return self.filter(kind=Project.Kind.AGENT)

    def keys_and_agents(self) -> Self:
        """What rules assign, and what usage without a key is shared by."""
        return self.filter(kind__in=[Project.Kind.KEY, Project.Kind.AGENT])

    def present_keys(self) -> Self:
        """The API keys that there are – the only ones that any page, file or sentence counts.

        Not those that their workspace has deleted, and not those of an account that reports totals alone: nothing is
        known of what they use.
        """
        return self.filter(_is_present_key())

    def present_keys_and_agents(self) -> Self:
        """present_keys(), and the agents that there are, archived ones left out."""
        return self.filter(_is_present_key() | _is_present_agent())

    def with_presence(self) -> Self:
        """With ``is_present_key`` and ``is_present_agent``: whether it is one of present_keys_and_agents()."""
        return self.annotate(is_present_key=_is_present_key(), is_present_agent=_is_present_agent())


def _is_present_key() -> models.Q:
    return models.Q(kind=Project.Kind.KEY, deleted_at=None, provider__source=Provider.Source.ANALYTICS)


def _is_present_agent() -> models.Q:
    return models.Q(kind=Project.Kind.AGENT, deleted_at=None, archived_at=None)


class Project(models.Model):
    """What usage of a workspace belongs to: an API key, known from its listing or from its usage, an agent, a person –
    or the usage made without any key, as far as it is nobody's.
    """

    class Kind(models.TextChoices):
        KEY = "key", "API key"
        AGENT = "agent", "Agent"
        PERSON = "person", "Person"
        KEYLESS = "keyless", "No API key"  # each project has the name that its type gives it
        ACCOUNT = "account", "Account totals"

    # Kinds whose usage is a part of what was used with a key, or without one.
    PARTS = (Kind.AGENT.value, Kind.PERSON.value)

    # Stand where a key's hash would; in brackets, which no hash has.
    KEYLESS_ID = "(keyless)"
    ACCOUNT_ID = "(account)"

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="projects")
    external_id = models.CharField(max_length=200, editable=False)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.KEY, editable=False)
    name = models.CharField(max_length=200, blank=True, editable=False, help_text="As the provider reports it.")
    label = models.CharField(max_length=200, blank=True, help_text="Shown instead of the reported name.")
    hint = models.CharField(max_length=20, blank=True, editable=False, help_text="The key's last characters.")
    tags = models.JSONField(default=list, blank=True, editable=False, help_text="An agent's, as the provider has them.")
    listed_at = models.DateTimeField(null=True, editable=False, help_text="When a key listing last named it.")
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_reason = models.CharField(max_length=60, blank=True, editable=False)
    archived_at = models.DateTimeField(null=True, editable=False, help_text="When a listing first called it archived.")
    deleted_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a listing first lacked it."
    )
    is_allocated = models.BooleanField(
        default=False, editable=False, help_text="Whether some of its usage is a share by conversations."
    )
    expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    credit_limit = models.BigIntegerField(null=True, editable=False, help_text="Credits that it may use per period.")
    credits_used = models.BigIntegerField(null=True, editable=False, help_text="Credits used in the running period.")
    first_used_on = models.DateField(null=True, editable=False)
    last_used_on = models.DateField(null=True, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ("name", "external_id")
        constraints = (
            # Also finds a provider's projects: its index begins with the provider.
            models.UniqueConstraint(fields=["provider", "external_id"], name="project_unique"),
        )

    def __str__(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        return reverse("keys:detail", args=[self.pk])

    @property
    def display_name(self) -> str:
        """What people call it: their own label, the reported name, or – unnamed – the key's last characters."""
        if self.label or self.name:
            return self.label or self.name
        unnamed = {self.Kind.KEY: "key", self.Kind.AGENT: "agent", self.Kind.PERSON: "person"}
        if (noun := unnamed.get(self.Kind(self.kind))) is None:
            return str(self.Kind(self.kind).label)
        return f"Unnamed {noun} ··{self.hint or self.external_id[-4:]}"

    @property
    def full_name(self) -> str:
        """As in files and on statements, where no badge stands beside it."""
        return f"{self.display_name} (allocated by conversations)" if self.is_allocated else self.display_name

    def was_in_use_on(self, day: date) -> bool:
        """From its first use until the day on which it was deleted, both included."""
        if self.first_used_on is None or day < self.first_used_on:
            return False
        return self.deleted_at is None or day <= self.deleted_at.date()

"""Raising an alert: once, with a receipt for everybody who wants it in their list and a row of the outbox for the rest.

All of it is one transaction; who finds the same thing at the same moment finds the key taken.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from accounts.models import Membership, Role
from alerts.models import Alert, Delivery, Endpoint, Preferences, Receipt, Severity, Subscription
from alerts.models.delivery import MAIL_LANE
from alerts.queue import hand_over_after_commit
from providers.models import Company, Provider
from providers.permissions import SEE_PROVIDERS


class ReportTo(Enum):
    """Whom a report reaches, whatever severity they chose; by mail, where they get any."""

    COMPANY = "company"  # who is subscribed to the company that it is about
    TEAM = "team"  # everybody but Company viewers


@dataclass(frozen=True, kw_only=True)
class News:
    """What an alert will say; see Alert. Without ``client_text`` Company viewers are told nothing of it."""

    key: str
    kind: str
    severity: Severity
    title: str
    sentences: tuple[str, ...]
    path: str
    client_title: str = ""
    client_sentences: tuple[str, ...] = ()
    client_path: str = ""
    company: Company | None = None
    provider: Provider | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    report_to: ReportTo | None = None  # None: it is no report

    @property
    def tells_costs(self) -> bool:
        """Its words for the company's viewers may hold costs; those of a report never do."""
        return self.report_to is None and self.company is not None and not self.company.is_price_only


@transaction.atomic
def raise_alert(news: News, *, now: datetime) -> Alert | None:
    """The alert, made with all that is to be sent of it; None where it was raised before."""
    if Alert.objects.filter(key=news.key).exists():
        return None
    try:
        with transaction.atomic():
            alert = Alert.objects.create(
                key=news.key,
                kind=news.kind,
                severity=news.severity,
                title=news.title[:300],
                text="\n".join(news.sentences),
                path=news.path,
                client_title=news.client_title[:300],
                client_text="\n".join(news.client_sentences),
                client_path=news.client_path,
                client_sees_costs=news.tells_costs,
                company=news.company,
                provider=news.provider,
                facts=dict(news.facts),
                raised_at=now,
            )
    except IntegrityError:  # somebody else was first
        return None
    readers = list(readers_of(alert, report_to=news.report_to))
    Receipt.objects.bulk_create(
        Receipt(alert=alert, user=reader.user, is_client=reader.is_client) for reader in readers if reader.wants_in_list
    )
    deliveries = [*_mails(alert, readers, now), *_posts(alert, now)]
    Delivery.objects.bulk_create(deliveries)
    hand_over_after_commit(sorted({delivery.lane for delivery in deliveries if delivery.not_before <= now}))
    return alert


@dataclass(frozen=True)
class Reader:
    """Somebody who may see an alert, and what they want of it."""

    user: User
    preferences: Preferences
    is_client: bool
    wants_in_list: bool
    wants_mail: bool


def readers_of(alert: Alert, *, report_to: ReportTo | None = None) -> Iterator[Reader]:
    """Everybody who may see it; three queries."""
    chosen = {
        subscription.user_id: subscription.minimum
        for subscription in Subscription.objects.filter(company=alert.company_id, company__isnull=False)
    }
    memberships = Membership.objects.filter(user__is_active=True).select_related("user", "user__alert_preferences")
    for membership in memberships.prefetch_related("companies"):
        user = membership.user
        is_client = not user.has_perm(SEE_PROVIDERS)
        if is_client and not _is_for_client(alert, membership, chosen):
            continue
        preferences = preferences_of(user, role=Role(membership.role))
        minimum = chosen.get(user.pk)
        yield Reader(
            user=user,
            preferences=preferences,
            is_client=is_client,
            wants_in_list=(
                _is_subscribed(minimum)
                if report_to is ReportTo.COMPANY
                else alert.severity >= (preferences.list_minimum if minimum is None else minimum)
            ),
            wants_mail=(
                preferences.mail != Preferences.Mail.OFF
                and bool(preferences.address)
                and _wants(alert, report_to, preferences, minimum, is_client=is_client)
            ),
        )


def _wants(
    alert: Alert, report_to: ReportTo | None, preferences: Preferences, minimum: int | None, *, is_client: bool
) -> bool:
    """Whether the person wants a mail about it; ``minimum`` is what they are subscribed to its company from."""
    if report_to is ReportTo.COMPANY:
        return _is_subscribed(minimum)
    if report_to is ReportTo.TEAM:
        return not is_client
    return alert.severity >= (preferences.mail_minimum if minimum is None else minimum)


def _is_subscribed(minimum: int | None) -> bool:
    return minimum is not None and minimum != Subscription.NEVER


def preferences_of(user: User, *, role: Role) -> Preferences:
    """What the person chose; of who chose nothing, Viewers get no mail."""
    stored = getattr(user, "alert_preferences", None)
    if isinstance(stored, Preferences):
        return stored
    return Preferences(user=user, mail=Preferences.Mail.OFF if role == Role.VIEWER else Preferences.Mail.IMMEDIATELY)


def _is_for_client(alert: Alert, membership: Membership, chosen: Mapping[int, int]) -> bool:
    """Whether a Company viewer is told: of a company of theirs, subscribed by an Admin, in words meant for them."""
    return (
        bool(alert.client_text)
        and membership.user_id in chosen
        and membership.role == Role.COMPANY_VIEWER
        and any(company.pk == alert.company_id for company in membership.companies.all())
    )


def _mails(alert: Alert, readers: list[Reader], now: datetime) -> Iterator[Delivery]:
    if not settings.MAIL_IS_SET_UP:
        return
    for reader in readers:
        if reader.wants_mail:
            at = reader.preferences.mail_at(now, alert.severity)
            is_digest = reader.preferences.mail != Preferences.Mail.IMMEDIATELY and at > now
            yield _delivery(
                alert,
                now,
                lane=MAIL_LANE,
                user=reader.user,
                is_client=reader.is_client,
                not_before=at,
                is_digest=is_digest,
            )


def _posts(alert: Alert, now: datetime) -> Iterator[Delivery]:
    for endpoint in Endpoint.objects.enabled().filter(minimum__lte=alert.severity):
        yield _delivery(alert, now, lane=endpoint.lane, endpoint=endpoint, not_before=now)


def _delivery(alert: Alert, now: datetime, **fields: Any) -> Delivery:
    return Delivery(alert=alert, made_at=now, message_id=f"msg_{uuid.uuid4().hex}", **fields)

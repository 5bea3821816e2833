"""The rules (alerts.rules) put to work: each finds what is the case, and here it is told once, and ended."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import DatabaseError, transaction

from alerts.evaluation.freshness import freshness_sentences, unassigned_sentence
from alerts.models import Alert, AlertEvent, RuleSetting
from alerts.rules import rules
from alerts.rules.rule import Finding, Rule
from alerts.rules.world import World
from alerts.services.raising import News, raise_alert
from core.days import DateRange
from core.months import first_of, name_of
from costs.reports.spending import KnownDays, known_days, unassigned
from costs.reports.totals import Totals
from providers.models import Provider

logger = logging.getLogger(__name__)


def evaluate_rules(world: World) -> None:
    """Ask every rule that is on; one that fails is logged, and keeps no other from being asked."""
    chosen = {setting.slug: setting for setting in RuleSetting.objects.all()}
    context = _Context(world.now)
    for rule in rules():
        setting = chosen.get(rule.slug)
        if not (setting.is_on if setting else rule.is_on_at_first):
            continue
        try:
            with transaction.atomic():
                _evaluate(rule, world, context, setting)
        except DatabaseError:
            raise
        except Exception:
            logger.exception("The rule %s failed", rule.slug)


def _evaluate(rule: Rule, world: World, context: _Context, setting: RuleSetting | None) -> None:
    limit = limit_of(rule, setting)
    found = {f"{rule.slug}:{finding.occurrence}": finding for finding in rule.find(world, limit)}
    told = set(Alert.objects.filter(key__in=list(found)).values_list("key", flat=True))
    for key, finding in found.items():
        if key not in told:
            raise_alert(_news(rule, key, finding, context), now=world.now)
    if not rule.is_event:
        for alert in Alert.objects.open().filter(kind=rule.slug).exclude(key__in=list(found)):
            _end(alert, world.now)


def limit_of(rule: Rule, setting: RuleSetting | None) -> Decimal:
    """What an Admin has set, or the rule's own; 0 of a rule without one."""
    if setting is not None and setting.limit is not None:
        return setting.limit
    return rule.limit.default if rule.limit else Decimal(0)


def _news(rule: Rule, key: str, finding: Finding, context: _Context) -> News:
    return News(
        key=key,
        kind=rule.slug,
        severity=finding.severity or rule.severity,
        title=finding.title,
        sentences=(*finding.sentences, *context.sentences(finding)),
        path=finding.path,
        company=finding.company,
        provider=finding.provider,
        facts=finding.facts,
        client_title=finding.client_title,
        client_sentences=_for_clients(finding, context),
        client_path=finding.client_path,
        report_to=rule.report_to,
    )


def _for_clients(finding: Finding, context: _Context) -> tuple[str, ...]:
    if not finding.client_title or finding.says_how_far:
        return finding.client_sentences
    return (*finding.client_sentences, *context.freshness(None))


def _end(alert: Alert, now: datetime) -> None:
    if Alert.objects.open().filter(pk=alert.pk).update(ended_at=now):
        AlertEvent.objects.create(alert=alert, at=now, kind="ended", text="It is over: this is no longer found.")


class _Context:
    """How far figures reach; looked up once, and only where something is told."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._known: KnownDays | None = None
        self._unassigned: Totals | None = None

    def sentences(self, finding: Finding) -> list[str]:
        """Of the finding's provider, or of all; what itself is about unassigned spend says that once."""
        if finding.says_how_far:
            return []
        said = self.freshness(finding.provider.pk if finding.provider else None)
        if finding.is_about_unassigned:
            return said
        month = first_of(self._now.date())
        if self._unassigned is None:
            self._unassigned = unassigned(DateRange(month, self._now.date()))
        return [*said, unassigned_sentence(self._unassigned, name_of(month))]

    def freshness(self, provider_id: int | None) -> list[str]:
        today = self._now.date()
        days = DateRange(today - timedelta(days=30), today)
        if self._known is None:
            self._known = known_days(Provider.objects.all(), days, today=today)
        return freshness_sentences(self._known.of(provider_id), days)

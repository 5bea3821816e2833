"""Somebody has begun to spend: there is no history to call it usual or unusual by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from alerts.models import Severity
from alerts.rules.rule import Finding, Limit, Rule
from alerts.rules.world import World
from alerts.spending_subjects import subjects_of
from core.days import DateRange
from core.money import Money
from core.wording import day
from costs.reports.unusual import FEWEST_DAYS


def find(world: World, limit: Decimal) -> Iterable[Finding]:
    """Who spent nothing in the weeks before that were read, and by now so much."""
    begun_after = world.today - timedelta(days=FEWEST_DAYS)
    found = []
    for spender in world.spenders:
        first, spent = min(spender.costs), sum(spender.costs.values(), Decimal(0))
        read = world.known.of(spender.provider_id).read
        was_watched = sum(1 for one in read if one < first) >= FEWEST_DAYS
        if first > begun_after and spent >= limit and was_watched:
            found.append((spender, first, Money(spender.currency, spent)))
    subjects = subjects_of([spender for spender, _first, _spent in found])
    for spender, first, spent_money in found:
        subject = subjects[spender.subject, spender.pk]
        yield Finding(
            occurrence=f"{spender.subject.value}:{spender.pk}:{spender.currency}:{first.isoformat()}",
            title=f"{subject.name} has begun to spend: {spent_money} so far",
            sentences=(
                f"Its first usage was on {day(first)}; in the weeks before there was none.",
                f"After {FEWEST_DAYS} settled days it is watched for unusual spending.",
            ),
            path=f"{subject.url}?{DateRange(first, world.today).query}",
            provider=subject.provider,
            company=subject.company,
            facts={"subject": subject.name, "since": first.isoformat(), "spent": str(spent_money.amount)},
        )


RULE = Rule(
    slug="spend.new",
    label="New spender",
    text="When a company, a provider or an API key that used nothing for weeks has spent more than an amount.",
    severity=Severity.INFO,
    find=find,
    limit=Limit(Decimal(50), "in the currency of the spend"),
    is_event=True,
)

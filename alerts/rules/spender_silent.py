"""Somebody who spent every week has stopped: perhaps their service is down."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from alerts.models import Severity
from alerts.rules.rule import Finding, Limit, Rule
from alerts.rules.world import World
from alerts.spending_subjects import subjects_of
from core.days import DateRange
from core.money import Money
from core.wording import count, day
from costs.reports.rhythm import median, weekday_medians
from costs.reports.spenders import Spender

# What the silent days would usually have cost together, before it is worth a word.
LEAST = Decimal(10)
WEEKS = timedelta(weeks=4)


def find(world: World, limit: Decimal) -> Iterable[Finding]:
    """The days since the last cost have to be complete, and of weekdays on which something is usual."""
    found = []
    for spender in world.spenders:
        last = max(spender.costs)
        if last < world.today - timedelta(days=int(limit)):
            missed = _missed(spender, last, world)
            usual = sum(missed.values(), Decimal(0))
            if len(missed) >= limit and usual >= LEAST:
                found.append((spender, last, Money(spender.currency, usual), len(missed)))
    subjects = subjects_of([spender for spender, *_rest in found])
    for spender, last, usual_money, days in found:
        subject = subjects[spender.subject, spender.pk]
        yield Finding(
            occurrence=f"{spender.subject.value}:{spender.pk}:{spender.currency}:{last.isoformat()}",
            title=f"{subject.name} went silent: nothing since {day(last)}",
            sentences=(
                f"{count(days, 'day')} on which it usually spends cost nothing; {usual_money} is usual for them.",
            ),
            path=f"{subject.url}?{DateRange(last, world.today).query}",
            provider=subject.provider,
            company=subject.company,
            facts={"subject": subject.name, "last": last.isoformat(), "usual": f"{usual_money.amount:.4f}"},
        )


def _missed(spender: Spender, last: date, world: World) -> dict[date, Decimal]:
    """The complete days since ``last``, with what each usually costs where that is anything."""
    complete = world.known.complete(world.known.of(spender.provider_id))
    before = [one for one in complete if last - WEEKS < one <= last]
    if len(before) < WEEKS.days or not median(spender.costs.get(one, Decimal(0)) for one in before):
        return {}
    usual = weekday_medians(spender.costs, before)
    return {one: usual[one.weekday()] for one in complete if one > last and usual[one.weekday()]}


RULE = Rule(
    slug="spend.silent",
    label="Went silent",
    text="When a company, a provider or a large API key that spends on most days has spent nothing for some of them.",
    severity=Severity.WARNING,
    find=find,
    limit=Limit(Decimal(3), "days on which it usually spends", most=Decimal(30)),
)

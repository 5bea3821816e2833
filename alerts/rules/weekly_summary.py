"""The week's summary for the team: what was spent, what changed and why, budgets, and what is still open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.urls import reverse

from alerts.models import Alert, Budget, Severity
from alerts.rules.rule import Finding, Rule
from alerts.rules.world import World
from alerts.services.raising import ReportTo
from alerts.standing import standing_of
from core.days import DateRange
from core.money import Money
from core.wording import count, joined
from costs.reports.contributors import contributors
from costs.reports.spending import Subject
from providers.models import Company

# The clock of a Monday (UTC) from which on it is written: by then Sunday has mostly been read.
FROM_HOUR = 7
# After an outage it still comes so long.
LATEST = timedelta(days=2)
SHOWN = 3
# Changes of so much are worth a line, in units of the currency.
LEAST = Decimal(1)


def find(world: World, _limit: Decimal) -> Iterator[Finding]:
    monday = world.today - timedelta(days=world.today.weekday())
    begins = datetime(monday.year, monday.month, monday.day, FROM_HOUR, tzinfo=UTC)
    if not begins <= world.now < begins + LATEST:
        return
    week = DateRange(monday - timedelta(days=7), monday - timedelta(days=1))
    yield Finding(
        occurrence=week.first.isoformat(),
        title=f"The week of {week.days}",
        sentences=(*_spend(world, week), *_changes(world, week), *_budgets(), *_open_alerts()),
        path=f"{reverse('dashboard')}?{week.query}",
        facts={"from": week.first.isoformat(), "to": week.last.isoformat()},
    )


def _sums(costs: Mapping[date, Decimal], week: DateRange) -> tuple[Decimal, Decimal]:
    """Of the week and of the one before it."""
    before = timedelta(days=7)
    now = sum((costs.get(day, Decimal(0)) for day in week), Decimal(0))
    return now, sum((costs.get(day - before, Decimal(0)) for day in week), Decimal(0))


def _spend(world: World, week: DateRange) -> Iterator[str]:
    totals: dict[str, list[Decimal]] = {}
    for spender in world.spenders:
        if spender.subject is Subject.PROVIDER:
            total = totals.setdefault(spender.currency, [Decimal(0), Decimal(0)])
            for place, amount in enumerate(_sums(spender.costs, week)):
                total[place] += amount
    if not totals:
        yield "Nothing was spent."
    for currency, (now, before) in sorted(totals.items()):
        yield f"{Money(currency, now)} was spent, after {Money(currency, before)} in the week before."


def _changes(world: World, week: DateRange) -> Iterator[str]:
    """The companies whose spend changed most, with the keys that it comes from where it rose."""
    changes = []
    for spender in world.spenders:
        if spender.subject is Subject.COMPANY:
            now, before = _sums(spender.costs, week)
            if abs(now - before) >= LEAST:
                changes.append((abs(now - before), now - before, spender))
    changes.sort(key=lambda change: change[0], reverse=True)
    names = dict(Company.objects.filter(pk__in=[one.pk for *_, one in changes[:SHOWN]]).values_list("pk", "name"))
    for _size, more, spender in changes[:SHOWN]:
        amount = Money(spender.currency, abs(more))
        line = f"{names.get(spender.pk, 'A company')}: {amount} {'more' if more > 0 else 'less'}"
        behind = contributors(Subject.COMPANY, spender.pk, spender.currency, week).projects if more > 0 else ()
        because = joined([f"{one.label} (+{Money(spender.currency, one.more)})" for one in behind]) if behind else ""
        yield f"{line}{f', beside its last four weeks mostly from {because}' if because else ''}."


def _budgets() -> Iterator[str]:
    standings = [standing_of(budget) for budget in Budget.objects.with_subjects().exclude(spent=None)]
    tight = sorted((one for one in standings if one.state != "within"), key=lambda one: one.tightness, reverse=True)
    for one in tight[:SHOWN]:
        yield f"Budget of {one.budget.subject}, {one.period}: {one.percent} spent ({one.state_label.lower()})."
    if standings and not tight:
        yield f"{count(len(standings), 'budget')}, all within their limits."


def _open_alerts() -> Iterator[str]:
    alerts = Alert.objects.open().filter(severity__gte=Severity.WARNING).exclude(kind="test")
    number = alerts.count()
    titles = [alert.title for alert in alerts[:SHOWN]]
    if titles:
        yield f"{count(number, 'open alert')}, the latest: {joined(titles)}."


RULE = Rule(
    slug="report.weekly",
    label="Weekly summary",
    text="When a week is over, on Monday at 07:00 UTC: spend, changes with their causes, budgets and open alerts, by "
    "mail to everybody of the team who gets mail.",
    severity=Severity.INFO,
    find=find,
    is_event=True,
    report_to=ReportTo.TEAM,
)

"""Last month is not closed yet on a day of this one: each company's draft goes to who is subscribed to it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from alerts.models import Severity
from alerts.rules.rule import Finding, Limit, Rule
from alerts.rules.world import World
from alerts.services.raising import ReportTo
from core.months import days_of, name_of, preceding
from costs.models import ClosedMonth
from costs.reports.totals import all_usage, sums_by
from providers.models import Company


def find(world: World, limit: Decimal) -> Iterable[Finding]:
    month = preceding(world.month.first)
    if world.today.day < limit or ClosedMonth.objects.filter(month__gte=month).exists():
        return
    days = days_of(month)
    spent = sums_by(all_usage().between(days.first, days.last).exclude(company=None), "company_id")
    for company in Company.objects.filter(pk__in=[pk for pk, sums in spent.items() if not sums.is_idle]):
        said = (f"The draft of {name_of(month)} is attached as PDF and as CSV. Its figures change until it is closed.",)
        page = f"{company.get_absolute_url()}?{days.query}"
        yield Finding(
            occurrence=f"{company.pk}:{month:%Y-%m}",
            title=f"{company.name}: draft of the statement of {name_of(month)}",
            sentences=said,
            path=page,
            company=company,
            facts={"month": month.isoformat()},
            client_title=f"Draft of the statement of {name_of(month)}",
            client_sentences=said,
            client_path=page,
        )


RULE = Rule(
    slug="statement.draft",
    label="Draft of a statement by mail",
    text="When last month is still open on a day of this one: each company's draft by mail, as PDF and CSV, to whoever "
    "is subscribed to it.",
    severity=Severity.INFO,
    find=find,
    limit=Limit(Decimal(5), "is the day of the month", most=Decimal(28)),
    is_event=True,
    is_on_at_first=False,
    report_to=ReportTo.COMPANY,
)

"""A month was closed: each company's statement goes to whoever is subscribed to the company."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from alerts.models import Severity
from alerts.rules.rule import Finding, Rule
from alerts.rules.world import World
from alerts.services.raising import ReportTo
from core.months import name_of
from costs.models import Statement

# What was closed before anybody could be subscribed is no news.
RECENT = timedelta(days=3)


def find(world: World, _limit: Decimal) -> Iterable[Finding]:
    closed = Statement.objects.filter(closed_month__closed_at__gte=world.now - RECENT)
    for statement in closed.select_related("closed_month", "company"):
        month = statement.closed_month.month
        said = (
            f"Statement {statement.number} of {name_of(month)} is attached as PDF and as CSV.",
            "Its figures are frozen: what changes later is on the next statement.",
        )
        yield Finding(
            occurrence=f"{statement.company_id}:{month:%Y-%m}",
            title=f"{statement.company_name}: statement of {name_of(month)}",
            sentences=said,
            path=statement.get_absolute_url(),
            company=statement.company,
            facts={"month": month.isoformat(), "number": statement.number},
            client_title=f"Statement of {name_of(month)}",
            client_sentences=said,
            client_path=statement.get_absolute_url(),
            says_how_far=True,
        )


RULE = Rule(
    slug="statement.closed",
    label="Statement by mail",
    text="When a month is closed: each company's statement by mail, as PDF and CSV, to whoever is subscribed to it.",
    severity=Severity.INFO,
    find=find,
    is_event=True,
    report_to=ReportTo.COMPANY,
)

"""Worlds for tests of costs: settled months with usage to bill and to close, and a workspace for every page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from costs.models import (
    ClosedMonth,
    DailyUsage,
    ReadDay,
    StatementLine,
)
from costs.pages.closing_words import sentences
from costs.statements.closing import (
    MonthStatus,
    NotClosableError,
    close_month,
    month_statuses,
)
from providers.models import BEGINNING, Assignment, Company, Project, Provider
from tests.factories import (
    NOW,
    TODAY,
    derive,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)

AUGUST, SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 1) for month in (8, 9, 10, 11))
HALLOWEEN = date(2026, 10, 31)
LATER = datetime(2026, 12, 20, tzinfo=UTC)


def make_settled(first: date = AUGUST, last: date = HALLOWEEN, **overrides: Any) -> Provider:
    """A provider whose history begins with ``first`` and that was read after every day until ``last`` had settled."""
    provider = make_provider(history_from=first, **overrides)
    make_read_days(provider=provider, first=first, last=last, read_at=LATER)
    return provider


def make_key(company: Company | None, *, provider: Provider | None = None, **overrides: Any) -> Project:
    key = make_project(provider=provider or make_settled(), **overrides)
    make_assignment(project=key, company=company)
    return key


def reassign(key: Project, company: Company | None, starts_on: date = BEGINNING) -> None:
    Assignment.objects.filter(project=key, starts_on__gte=starts_on).delete()
    make_assignment(project=key, company=company, starts_on=starts_on)


def restate(usage: DailyUsage, cost: Decimal | None, currency: str = "usd") -> None:
    usage.cost, usage.currency = cost, "" if cost is None else currency
    usage.save()
    derive([usage.project_id])


def close(month: date = OCTOBER, now: datetime = NOW) -> ClosedMonth:
    return close_month(month=month, now=now)


def status(month: date = OCTOBER, now: datetime = NOW) -> MonthStatus:
    return month_statuses([month], providers=list(Provider.objects.all()), now=now)[0]


def why(month: date = OCTOBER, now: datetime = NOW) -> list[str]:
    """What a page says of a month that can't be closed."""
    return sentences(status(month, now).reasons)


@contextmanager
def not_closable(sentence: str, error: type[NotClosableError] = NotClosableError) -> Iterator[None]:
    """Closing is refused here, and ``sentence`` is in what the person reads."""
    with pytest.raises(error) as refused:
        yield
    assert sentence in " ".join(sentences(refused.value.reasons))


def make_acme(**overrides: Any) -> tuple[Company, Project]:
    """Acme with one key in a settled workspace, 20 % mark-up."""
    fields: dict[str, Any] = {"name": "Acme", "markup_percent": Decimal(20)} | overrides
    acme = make_company(**fields)
    provider = make_settled(AUGUST, TODAY, name="Production", model_names={"v3": "Eleven v3", "flash": "Eleven Flash"})
    return acme, make_key(acme, provider=provider, name="Support line", hint="a91f")


def path_of(company: Company, month: str = "2026-10") -> str:
    return f"/companies/{company.pk}/statements/{month}/"


NEXT_YEAR = datetime(2027, 3, 1, tzinfo=UTC)


def make_world(**company: object) -> tuple[Company, Company, Project]:
    """Acme with a key in a workspace that is settled to the end of the year, and Bco with nothing, at 20 %."""
    acme = make_company(name="Acme")
    bco = make_company(**{"name": "Bco", "markup_percent": Decimal(20)} | company)
    provider = make_settled(AUGUST, date(2026, 12, 31))
    ReadDay.objects.update(read_at=NEXT_YEAR)
    Provider.objects.update(currency="usd")
    return acme, bco, make_key(acme, provider=provider)


def lines(company: Company, month: date) -> list[tuple[str, date, Decimal | None]]:
    found = StatementLine.objects.filter(statement__company=company, statement__closed_month__month=month)
    return [(line.kind, line.month, line.cost) for line in found]


def make_workspace(keys: int = 2, days: int = 2) -> tuple[Provider, Company]:
    """A read provider whose keys each cost $1 a day; the first one belongs to Acme."""
    provider, acme = make_provider(name="Production"), make_company(name="Acme")
    make_read_days(provider=provider, first=TODAY - timedelta(days=364), last=TODAY)
    for number in range(keys):
        key = make_project(provider=provider, name=f"Key {number}", last_used_on=TODAY)
        if number == 0:
            make_assignment(project=key, company=acme)
        for day in range(1, days + 1):
            make_usage(project=key, day=TODAY - timedelta(days=day), cost=Decimal(1))
    return provider, acme

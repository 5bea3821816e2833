"""Statements in sums: what lists of a month show is what the statements themselves come to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from costs.models import ClosedMonth
from costs.statements.adjustments import closed_months
from costs.statements.contents import StatementView, draft_sheets, frozen_sheets
from costs.statements.summed import summed_drafts, summed_statements
from tests.costs.worlds import OCTOBER, SEPTEMBER, close, make_key, make_settled, reassign, restate
from tests.factories import make_company, make_usage

pytestmark = pytest.mark.django_db


@pytest.fixture
def october() -> None:
    """Two workspaces, two companies, two currencies, estimates, late prices, and a September that has changed."""
    production, studio = make_settled(name="Production"), make_settled(name="Studio")
    acme = make_company(name="Acme", markup_percent=Decimal("12.5"))
    globex = make_company(name="Globex")
    of_acme = [make_key(acme, provider=provider) for provider in (production, studio, studio)]
    of_globex = make_key(globex, provider=production)
    earlier = make_usage(project=of_acme[0], day=SEPTEMBER, cost=Decimal(10))
    make_usage(project=of_globex, day=SEPTEMBER, cost=Decimal(4))
    close(SEPTEMBER)
    restate(earlier, Decimal(8))
    reassign(of_globex, globex, starts_on=OCTOBER)
    for number, key in enumerate(of_acme):
        make_usage(project=key, day=date(2026, 10, 1), cost=Decimal("0.0000000001"))
        make_usage(project=key, day=date(2026, 10, 31), model="euro", cost=Decimal(number), currency="eur")
        make_usage(project=key, day=date(2026, 10, 2), model="late", cost=None)
        make_usage(project=key, day=date(2026, 10, 3), model="later", cost=None)
    make_usage(project=of_globex, day=date(2026, 10, 4), cost=Decimal(3), estimated=True)
    make_usage(project=of_globex, day=date(2026, 10, 5), model="idle", cost=None, credits=0, minutes=0, requests=0)
    make_usage(
        project=make_key(make_company(name="Idle"), provider=production),
        day=OCTOBER,
        cost=Decimal(0),
        credits=0,
        minutes=0,
        requests=0,
    )


def told(sheets: Sequence[StatementView]) -> list[tuple[Any, ...]]:
    """What lists and warnings are made of."""
    return [
        (
            sheet.company_name,
            sheet.amounts,
            sheet.unpriced,
            sheet.percents,
            sheet.number,
            sheet.provider_names,
            bool(sheet.adjustments),
        )
        for sheet in sheets
    ]


@pytest.mark.usefixtures("october")
def test_drafts_in_sums_come_to_what_drafts_come_to() -> None:
    """Amounts, mark-ups, what waits for a price and whose usage it is."""
    whole = told(draft_sheets(OCTOBER, closed=closed_months()))

    assert told(summed_drafts(OCTOBER, closed=closed_months())) == whole
    assert [(name, unpriced) for name, _amounts, unpriced, *_rest in whole] == [("Acme", 6), ("Globex", 0)]


@pytest.mark.usefixtures("october")
def test_closed_statements_in_sums_come_to_what_was_frozen() -> None:
    """Whatever is used meanwhile."""
    close(OCTOBER)
    month = ClosedMonth.objects.get(month=OCTOBER)

    assert told(summed_statements(month)) == told(frozen_sheets([month]))

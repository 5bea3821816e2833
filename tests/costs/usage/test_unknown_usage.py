"""Usage of which nothing is known: a row whose only figure was null. It is not nothing, and it is not $0.00."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.days import DateRange
from costs.exports.usage import usage_csv
from costs.models import AttributedUsage, CompanySum, DailyUsage, Restatement, Span
from costs.pages.closing_words import unpriced_warnings
from costs.reports.totals import all_usage, totals
from costs.statements.contents import draft_sheets
from costs.usage.coverage import coverage
from costs.usage.writing import ImplausibleAnswerError, Usage, Written, write_usage
from providers.models import Project, Provider
from tests.factories import make_assignment, make_company, make_project, make_provider, make_read_days, make_split

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
DAY = date(2026, 11, 10)
TWO = Decimal(2)


def costing(project: Project, cost: Decimal | None, *, model: str = "m", day: date = DAY) -> Usage:
    """A row as an answer of the cost endpoint has it."""
    return Usage(project.pk, day, model, None, None, None, cost, "" if cost is None else "usd")


def write(
    provider: Provider, *rows: Usage, first: date = DAY, last: date = DAY, accept_implausible: bool = False
) -> Written:
    return write_usage(
        provider=provider,
        first=first,
        last=last,
        rows=rows,
        read_at=NOW,
        accept_implausible=accept_implausible,
    )


def stored(project: Project) -> dict[str, tuple[Decimal | None, str]]:
    return {row.model: (row.cost, row.currency) for row in DailyUsage.objects.filter(project=project)}


def exported() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(usage_csv(AttributedUsage.objects.all())))))


# --- Writing ----------------------------------------------------------------------------------------------------------


def test_usage_that_is_not_priced_is_stored_as_unknown() -> None:
    """No figure, no currency – and once more it is the same row, unchanged."""
    project = make_project()

    first = write(project.provider, costing(project, None))
    again = write(project.provider, costing(project, None))

    assert (first, again) == (Written(1, 0, 0), Written(0, 0, 1))
    assert stored(project) == {"m": (None, "")}


def test_price_that_is_taken_back_makes_a_row_unpriced_and_is_logged() -> None:
    """$2.00 that is restated to null is not $0.00; the answer is not held for it."""
    project = make_project()
    make_read_days(provider=project.provider, first=DAY, last=DAY, read_at=NOW)
    write(project.provider, costing(project, TWO))

    write(project.provider, costing(project, None))

    assert stored(project) == {"m": (None, "")}
    logged = Restatement.objects.order_by("-pk").values_list(
        "cost_before", "cost_after", "currency_before", "currency_after"
    )
    assert logged[0] == (TWO, None, "usd", "")


def test_price_that_comes_replaces_the_unknown() -> None:
    """In the same row."""
    project = make_project()
    write(project.provider, costing(project, None))

    written = write(project.provider, costing(project, TWO))

    assert written == Written(inserted=0, changed=1, unchanged=0)
    assert stored(project) == {"m": (TWO, "usd")}


def test_unknown_usage_that_an_answer_leaves_out_cost_nothing() -> None:
    """It is zero, in the workspace's currency, and not touched again."""
    project = make_project(provider=make_provider(currency="inr"))
    other = costing(project, TWO, model="other")
    write(project.provider, costing(project, None), other)

    written = [write(project.provider, other) for _ in range(2)]

    assert written == [Written(0, 1, 1), Written(0, 0, 1)]
    assert stored(project)["m"] == (Decimal(0), "inr")


def test_unknown_usage_stands_in_the_way_of_an_empty_answer() -> None:
    """Something was used: an answer that holds nothing at all is not believed."""
    project = make_project()
    write(project.provider, costing(project, None))

    with pytest.raises(ImplausibleAnswerError, match="empty, but 1 row"):
        write(project.provider)


def test_unknown_usage_is_use() -> None:
    """The key's first and last day of use include it."""
    project = make_project()

    write(project.provider, costing(project, None))

    project.refresh_from_db()
    assert (project.first_used_on, project.last_used_on) == (DAY, DAY)


# --- Reading it -------------------------------------------------------------------------------------------------------


def test_unknown_usage_is_unpriced_everywhere() -> None:
    """In sums, and among the days that are not complete."""
    project = make_project()
    write(project.provider, costing(project, None), costing(project, TWO, model="other"))

    sums = totals(all_usage())

    assert (sums.unpriced_rows, sums.credits, [money.amount for money in sums.costs]) == (1, None, [TWO])
    assert coverage([project.provider], DateRange(DAY, DAY), today=DAY, with_prices=True).unpriced == {DAY}


def test_sum_of_unknown_usage_alone_is_unknown_and_not_idle() -> None:
    """So that its row is shown, with "—"."""
    project = make_project()
    write(project.provider, costing(project, None))

    sums = totals(all_usage())

    assert (sums.is_unpriced, sums.is_idle, sums.is_empty) == (True, False, False)


def test_unknown_usage_is_exported_with_empty_figures() -> None:
    """It is no row of nothing but zeros."""
    project = make_project()
    write(project.provider, costing(project, None))

    (row,) = exported()

    assert [row[name] for name in ("date", "model")] == ["2026-11-10", "m"]
    assert [row[name] for name in ("credits", "minutes", "requests", "cost", "currency")] == [""] * 5
    assert row["estimated"] == "false"


def test_closing_warns_of_unknown_usage() -> None:
    """The statement carries a line without a price."""
    project = make_project()
    company = make_company(name="Acme")
    make_assignment(project=project, company=company)
    write(project.provider, costing(project, None))

    (sheet,) = draft_sheets(DAY.replace(day=1), closed=None)

    assert [(line.model, line.cost, line.unpriced) for line in sheet.lines] == [("m", None, True)]
    assert unpriced_warnings([sheet], [])[0].startswith("Acme: 1 line of usage has no price yet.")


def test_unknown_usage_that_is_split_is_unknown_to_each_payer() -> None:
    """Half of an unknown cost is unknown."""
    project = make_project()
    make_split(project=project, shares={make_company(): 50, make_company(): 50})

    write(project.provider, costing(project, None))

    assert list(AttributedUsage.objects.values_list("cost", "currency")) == [(None, "")] * 2
    assert list(CompanySum.objects.of_span(Span.DAY).values_list("unpriced_rows", flat=True)) == [1, 1]


# --- Any sequence of answers ------------------------------------------------------------------------------------------

_DAYS = [DAY + timedelta(days=offset) for offset in range(3)]
_COSTS = st.sampled_from([None, Decimal("0.0000000001"), TWO])
_ANSWERS = st.lists(
    st.dictionaries(st.tuples(st.sampled_from(_DAYS), st.sampled_from("mno")), _COSTS, max_size=6),
    min_size=1,
    max_size=5,
)


@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=_ANSWERS, is_split=st.booleans())
def test_latest_answer_says_what_is_known(
    answers: list[dict[tuple[date, str], Decimal | None]], *, is_split: bool
) -> None:
    """After any answers: what the latest prices is priced, what it can't is unpriced, all else is nothing."""
    project = make_project()
    payers = [make_company() for _ in range(2 if is_split else 1)]
    make_split(project=project, shares={payer: Decimal(100) / len(payers) for payer in payers})

    for answer in answers:
        rows = [costing(project, cost, model=model, day=day) for (day, model), cost in answer.items()]
        write(project.provider, *rows, first=_DAYS[0], last=_DAYS[-1], accept_implausible=True)

    latest = answers[-1]
    used = DailyUsage.objects.filter(project=project).used()
    assert {(row.day, row.model): row.cost for row in used} == latest
    sums = totals(all_usage().for_provider(project.provider))
    assert sums.unpriced_rows == len(payers) * sum(cost is None for cost in latest.values())
    assert sums.cost_in("usd") == sum((cost for cost in latest.values() if cost is not None), Decimal(0))
    assert {day for day, _model in latest} == set(used.values_list("day", flat=True))

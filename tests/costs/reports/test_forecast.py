"""What a month will have cost: by hand where the numbers are small, by its rules where they are not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from core.days import DateRange
from core.money import to_cents
from costs.models import ReadDay
from costs.reports.forecast import Basis, Forecast, basis, forecast, window
from providers.models import Company, Project, Provider
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_split,
    make_usage,
)
from tests.pages import cells, download, figure, page_of

TOO_EARLY = "Forecast appears after 7 full days of data"
LONG_AGO = date(2026, 1, 1)


def nov(number: int) -> date:
    return date(2026, 11, number)


def novembers(first: int, last: int) -> set[date]:
    return set(DateRange(nov(first), nov(last)))


def expected(
    costs: Mapping[date, int | str],
    complete: Collection[date],
    *,
    today: date = TODAY,
    first_use: date | None = LONG_AGO,
) -> Forecast | None:
    return forecast({day: Decimal(cost) for day, cost in costs.items()}, complete, today=today, first_use=first_use)


def certain(amount: int, basis: Basis = Basis.PACE) -> Forecast:
    """A range that is none."""
    return Forecast(Decimal(amount), Decimal(amount), Decimal(amount), basis)


def in_cents(found: Forecast | None) -> tuple[str, str, str]:
    assert found is not None
    return str(to_cents(found.amount)), str(to_cents(found.low)), str(to_cents(found.high))


# By hand --------------------------------------------------------------------------------------------------------------


def test_a_steady_pace_goes_on() -> None:
    """21 days at $2, and nine more."""
    found = expected(dict.fromkeys(novembers(1, 21), 2), novembers(1, 21))

    assert found == Forecast(amount=Decimal(60), low=Decimal(60), high=Decimal(60))


def test_a_changing_pace_has_a_range() -> None:
    """Seven days at $1 to $7: mean 4, deviation √(28/6); seven days lack: ± 1.44 · √(28/6) · √(7 + 49/7)."""
    costs = {nov(16 + number): number for number in range(1, 8)}

    found = expected(costs, novembers(1, 23), today=nov(24))

    assert in_cents(found) == ("56.00", "44.36", "67.64")


def test_the_pace_is_that_of_the_last_seven_days() -> None:
    """What the month began with is spent and says nothing of its end."""
    costs = dict.fromkeys(novembers(1, 14), 100) | dict.fromkeys(novembers(15, 21), 1)

    assert expected(costs, novembers(1, 21)) == certain(1400 + 7 + 9)


def test_a_day_that_is_not_complete_counts_as_the_mean() -> None:
    """Also where a part of it is known: today, an unread day, a day without prices."""
    costs = dict.fromkeys(novembers(1, 22), 2) | {nov(10): 1, nov(22): 1}

    found = expected(costs, novembers(1, 21) - {nov(10)})

    assert found == certain(60)


def test_a_gap_is_bridged_by_older_days() -> None:
    """The seven complete days need not lie together."""
    complete = novembers(1, 21) - {nov(20), nov(18), nov(16)}

    found = basis(complete, today=TODAY, first_use=LONG_AGO)

    assert [day.day for day in found] == [12, 13, 14, 15, 17, 19, 21]


def test_days_of_more_than_two_weeks_ago_say_nothing() -> None:
    """Seven complete days within the last fourteen, or no forecast."""
    assert basis(novembers(1, 14), today=TODAY, first_use=LONG_AGO) == tuple(nov(n) for n in range(8, 15))
    assert basis(novembers(1, 13), today=TODAY, first_use=LONG_AGO) == ()


def test_seven_full_days_since_the_first_use() -> None:
    """Zeros from before anybody used anything are no pace."""
    since = [
        expected(dict.fromkeys(novembers(15, 21), 1), novembers(1, 21), first_use=first_use) is not None
        for first_use in (nov(14), nov(15), nov(16), nov(22), None)
    ]

    assert since == [True, True, False, False, False]


def test_today_is_never_part_of_the_pace() -> None:
    """Even where somebody calls it complete."""
    assert TODAY not in basis(novembers(1, 22), today=TODAY, first_use=LONG_AGO)


def test_the_first_of_a_month_goes_by_the_month_before() -> None:
    """Nothing of November is known; thirty days of October's pace."""
    october = set(DateRange(date(2026, 10, 25), date(2026, 10, 31)))

    found = expected(dict.fromkeys(october, 3), october, today=nov(1))

    assert found == certain(90)


def test_on_the_last_day_only_that_day_lacks() -> None:
    """29 known days and one at the pace."""
    found = expected(dict.fromkeys(novembers(1, 29), 2) | {nov(30): 1}, novembers(1, 29), today=nov(30))

    assert found == certain(60, Basis.WEEKDAYS)


def test_what_was_spent_is_the_least() -> None:
    """Today alone may be more than the pace of a quiet week foretells."""
    found = expected({nov(2): 5, TODAY: 100}, novembers(1, 21))

    assert found == certain(105)


def test_only_the_lower_end_may_be_what_was_spent() -> None:
    """A wild week: the range begins no lower than what is spent already."""
    found = expected({nov(15): 70}, novembers(1, 21))

    assert found is not None
    assert (found.low, found.amount) == (Decimal(70), Decimal(160))
    assert found.high > 160


def test_nothing_spent_is_a_forecast_of_nothing() -> None:
    """Seven read days of zeros are data."""
    assert expected({}, novembers(1, 21)) == certain(0)


@pytest.mark.parametrize(
    ("today", "first"),
    [(nov(22), date(2026, 9, 27)), (nov(1), date(2026, 9, 6))],
)
def test_the_window_holds_the_month_and_the_last_eight_weeks(today: date, first: date) -> None:
    """All that a forecast asks for."""
    assert window(today) == DateRange(first, today)


def test_the_month_ends_where_it_ends() -> None:
    """February's nine days, of a leap year."""
    february = set(DateRange(date(2028, 2, 1), date(2028, 2, 20)))

    assert expected(dict.fromkeys(february, 1), february, today=date(2028, 2, 21)) == certain(29)


@settings(max_examples=150, phases=[Phase.explicit, Phase.generate], deadline=None, derandomize=True)
@given(
    today=st.dates(date(2026, 1, 1), date(2028, 12, 31)),
    costs=st.dictionaries(st.integers(0, 45), st.decimals(0, 10**6, places=10), max_size=46),
    unfinished=st.sets(st.integers(1, 45), max_size=20),
)
def test_a_forecast_keeps_its_promises(today: date, costs: dict[int, Decimal], unfinished: set[int]) -> None:
    """In order, never below what was spent, and there exactly when seven of the last fourteen days are complete."""
    by_day = {today - timedelta(days=offset): cost for offset, cost in costs.items()}
    complete = {today - timedelta(days=offset) for offset in range(1, 46) if offset not in unfinished}
    spent = sum(
        (cost for day, cost in by_day.items() if (day.year, day.month) == (today.year, today.month)), Decimal(0)
    )

    found = forecast(by_day, complete, today=today, first_use=date(2020, 1, 1))

    assert (found is None) == (len(set(range(1, 15)) - unfinished) < 7)
    if found:
        assert spent <= found.low <= found.amount <= found.high


# Pages ----------------------------------------------------------------------------------------------------------------


def make_read_provider(*, back: int = 120, **overrides: Any) -> Provider:
    provider = make_provider(**overrides)
    make_read_days(provider=provider, first=TODAY - timedelta(days=back), last=TODAY)
    return provider


def make_key(provider: Provider, company: Company | None = None) -> Project:
    key = make_project(provider=provider)
    if company:
        make_assignment(project=key, company=company)
    return key


def spend(key: Project, costs: Mapping[int, int | str | None], **overrides: Any) -> None:
    """By day of November."""
    for number, cost in costs.items():
        make_usage(project=key, day=nov(number), cost=None if cost is None else Decimal(cost), **overrides)


def forecast_of(client: Client, url: str = "/") -> str:
    until = "Credits" if url.startswith("/companies/") else "Unassigned spend"
    return figure(page_of(client, url), "Forecast November", until=until)


RAMP = {14 + number: number for number in range(1, 8)}  # $1 to $7 on 15–21 November
RAMP_SHOWN = "$64.00 $49.89 to $78.11, from the last 7 complete days"


def test_the_dashboard_shows_the_forecast_with_its_range_and_basis(signed_in: Client) -> None:
    """$28 so far, nine days at $4: ± 1.44 · √(28/6) · √(9 + 81/7)."""
    key = make_key(make_read_provider())
    spend(key, {1: 0, **RAMP})

    assert forecast_of(signed_in) == RAMP_SHOWN


def test_the_forecast_is_of_this_month_whatever_the_range(signed_in: Client) -> None:
    """The range chooses the other figures."""
    spend(make_key(make_read_provider()), {1: 0, **RAMP})

    assert forecast_of(signed_in, "/?from=2026-09-01&to=2026-09-30") == RAMP_SHOWN


def test_the_forecast_is_of_the_chosen_provider(signed_in: Client) -> None:
    """As every figure of the page."""
    key, other = make_key(make_read_provider()), make_key(make_read_provider())
    spend(key, {1: 0, **RAMP})
    spend(other, dict.fromkeys(range(1, 22), 1))

    assert forecast_of(signed_in, f"/?provider={key.provider_id}") == RAMP_SHOWN
    assert forecast_of(signed_in, f"/?provider={other.provider_id}") == "$30.00 from the last 7 complete days"
    assert forecast_of(signed_in).startswith("$94.00 ")


def test_before_seven_full_days_the_dashboard_says_when(signed_in: Client) -> None:
    """Six days of use."""
    key = make_key(make_read_provider())
    spend(key, dict.fromkeys(range(16, 23), 1))

    assert forecast_of(signed_in) == f"— {TOO_EARLY}"


def test_a_company_and_its_row_in_the_list_say_the_same(signed_in: Client) -> None:
    """Also where its key belonged to somebody else until the fourteenth."""
    key, company, before = make_key(make_read_provider()), make_company(name="Acme"), make_company(name="Before")
    make_assignment(project=key, company=before)
    make_assignment(project=key, company=company, starts_on=nov(15))
    spend(key, dict.fromkeys(range(1, 15), 2) | RAMP)

    rows = cells(signed_in, "/companies/?csv=companies", "Forecast Nov (USD)", "Notes")

    assert forecast_of(signed_in, company.get_absolute_url()) == RAMP_SHOWN
    assert forecast_of(signed_in, before.get_absolute_url()) == "$28.00 from the last 7 complete days"
    assert rows["Acme"] == ("64", "Forecast Nov: Likely $49.89 to $78.11")
    assert rows["Before"] == ("28", "")


def test_a_company_waits_for_its_own_seven_days(signed_in: Client) -> None:
    """However long its key was used by another one."""
    key, company = make_key(make_read_provider(), make_company(name="Before")), make_company(name="Acme")
    make_assignment(project=key, company=company, starts_on=nov(16))
    spend(key, dict.fromkeys(range(1, 22), 2))

    assert forecast_of(signed_in, company.get_absolute_url()) == f"— {TOO_EARLY}"
    rows = cells(signed_in, "/companies/?csv=companies", "Forecast Nov (USD)", "Notes")
    assert rows["Acme"][0] == ""
    assert f"Forecast Nov: {TOO_EARLY}" in rows["Acme"][1]


def test_a_company_that_pays_nothing_any_more_has_spent_what_it_has(signed_in: Client) -> None:
    """In the list as on its page; one that never used anything has no forecast."""
    key, company = make_key(make_read_provider()), make_company(name="Acme")
    make_company(name="Never")
    make_assignment(project=key, company=company)
    make_assignment(project=key, company=None, starts_on=nov(3))
    spend(key, dict.fromkeys(range(1, 22), 2))

    rows = {row["Company"]: row["Forecast Nov (USD)"] for row in download(signed_in, "/companies/?csv=companies")}

    assert rows == {"Acme": "4", "Never": "", "Unassigned": "56"}
    assert forecast_of(signed_in, company.get_absolute_url()) == "$4.00 from the last 7 complete days"


def test_a_split_key_counts_by_its_parts(signed_in: Client) -> None:
    """A quarter of the pace."""
    key, acme, globex = make_key(make_read_provider()), make_company(name="Acme"), make_company(name="Globex")
    make_split(project=key, shares={acme: 25, globex: 75})
    spend(key, dict.fromkeys(range(1, 22), 4))

    rows = {row["Company"]: row["Forecast Nov (USD)"] for row in download(signed_in, "/companies/?csv=companies")}

    assert rows == {"Acme": "30", "Globex": "90", "Unassigned": ""}


def test_each_currency_has_its_own_forecast(signed_in: Client) -> None:
    """On the dashboard, and for a company that pays in another one than most."""
    dollars, euros = make_read_provider(), make_read_provider(currency="eur")
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    spend(make_key(dollars, acme), dict.fromkeys(range(1, 22), 10))
    spend(make_key(euros, globex), dict.fromkeys(range(1, 22), 2), currency="eur")

    rows = {
        row["Company"]: (row["Forecast Nov (EUR)"], row["Forecast Nov (USD)"])
        for row in download(signed_in, "/companies/?csv=companies")
    }

    assert forecast_of(signed_in) == "€60.00 $300.00 from the last 7 complete days"
    assert forecast_of(signed_in, globex.get_absolute_url()) == "€60.00 from the last 7 complete days"
    assert rows == {"Acme": ("", "300"), "Globex": ("60", ""), "Unassigned": ("", "")}


def test_a_day_without_prices_is_no_day_of_the_pace(signed_in: Client) -> None:
    """It counts as the mean, as an unread one does."""
    key = make_key(make_read_provider())
    spend(key, dict.fromkeys(range(1, 20), 2) | {20: None})
    ReadDay.objects.filter(day=nov(21)).delete()

    assert forecast_of(signed_in) == "$60.00 from the last 7 complete days"


def test_a_workspace_without_usage_expects_nothing_yet(signed_in: Client) -> None:
    """No first use, no forecast."""
    make_key(make_read_provider())

    assert forecast_of(signed_in) == f"— {TOO_EARLY}"


def test_a_provider_that_fell_behind_has_no_forecast(signed_in: Client) -> None:
    """Nothing was read for nine days."""
    provider = make_provider()
    make_read_days(provider=provider, first=date(2026, 9, 1), last=nov(13))
    spend(make_key(provider), dict.fromkeys(range(1, 14), 2))

    assert forecast_of(signed_in) == f"— {TOO_EARLY}"

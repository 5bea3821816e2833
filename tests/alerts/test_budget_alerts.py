"""What a budget tells of, and that it tells it once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from alerts.evaluation import budgets
from alerts.evaluation.budgets import SETTLED_DAYS, evaluate_budgets
from alerts.models import Alert, AlertEvent, Passing, Threshold
from alerts.rules.world import World
from alerts.services.budgets import Limit, save_budget
from costs.models import ReadDay, end_of
from providers.models import Company
from tests.alerts.worlds import MONTH, Spender, evaluate, make_budget
from tests.factories import NOW, TODAY, make_company, make_keyless, make_usage

pytestmark = pytest.mark.django_db

EIGHTY = "Acme: 80 % of the November 2026 budget is spent"


def test_a_threshold_is_told_of_once(acme: Spender) -> None:
    """However often it is evaluated afterwards."""
    make_budget(company=acme.company)
    acme.spends("83")

    first = evaluate()
    again = evaluate(now=NOW + timedelta(hours=1))

    assert first == again == [EIGHTY]


def test_nothing_is_told_below_the_first_threshold(acme: Spender) -> None:
    """Not even a cent below."""
    make_budget(company=acme.company)
    acme.spends("49.99")

    assert evaluate() == []


def test_several_thresholds_at_once_are_one_message_of_the_highest(acme: Spender) -> None:
    """The lower ones are not told of later either."""
    make_budget(company=acme.company)
    acme.spends("101")

    assert evaluate() == ["Acme: 100 % of the November 2026 budget is spent"]
    assert Passing.objects.exclude(fired_at=None).count() == 3


def test_each_further_threshold_is_a_message(acme: Spender) -> None:
    """As spending goes on."""
    make_budget(company=acme.company)
    for amount in ("55", "85", "105"):
        acme.spends(amount)
        evaluate()

    assert [alert.facts["threshold"]["percent"] for alert in Alert.objects.order_by("pk")] == ["50", "80", "100"]


def test_a_figure_that_falls_again_is_corrected_and_not_told_again(acme: Spender) -> None:
    """A restatement adds an event to the alert; passing it once more is no second message."""
    make_budget(company=acme.company, percents=[80])
    acme.spends("83")
    evaluate()
    acme.spends("70")
    evaluate()
    acme.spends("90")

    assert evaluate() == [EIGHTY]
    assert [event.kind for event in AlertEvent.objects.all()] == ["corrected"]


def test_a_larger_amount_makes_due_again_what_it_does_not_pass(acme: Spender) -> None:
    """The threshold tells once more when the new amount's share is spent."""
    budget = make_budget(company=acme.company, percents=[80])
    acme.spends("83")
    evaluate()
    budget.amount = Decimal(200)
    save_budget(budget=budget, limits=[Limit(Threshold.Kind.ACTUAL, Decimal(80))])

    assert evaluate() == [EIGHTY]

    acme.spends("161")
    assert evaluate() == [EIGHTY, EIGHTY]


def test_an_amount_that_is_still_passed_is_not_told_of_again(acme: Spender) -> None:
    """A smaller budget only confirms it."""
    budget = make_budget(company=acme.company, percents=[80])
    acme.spends("83")
    evaluate()
    budget.amount = Decimal(90)
    save_budget(budget=budget, limits=[Limit(Threshold.Kind.ACTUAL, Decimal(80))])

    assert evaluate() == [EIGHTY]


def test_a_threshold_may_be_an_amount(acme: Spender) -> None:
    """It stays where it is when the budget changes."""
    make_budget("1000", company=acme.company, percents=[], limits=[Limit(Threshold.Kind.ACTUAL, amount=Decimal(40))])
    acme.spends("41")

    assert evaluate() == ["Acme: $40.00 of the November 2026 budget is spent"]


def test_every_kind_of_subject_is_watched(acme: Spender) -> None:
    """Company, provider, API key, everything; each leads to its own page."""
    for subject in ({"company": acme.company}, {"provider": acme.provider}, {"project": acme.project}, {}):
        make_budget(percents=[80], **subject)
    acme.spends("83")

    subjects = {title.partition(":")[0] for title in evaluate()}

    assert subjects == {"Acme", acme.provider.name, acme.project.display_name, "Everything"}
    pages = [*(each.get_absolute_url() for each in (acme.company, acme.provider, acme.project)), "/"]
    assert {alert.path for alert in Alert.objects.all()} == {f"{page}?from=2026-11-01&to=2026-11-30" for page in pages}


def test_last_months_late_figures_are_still_told_of(acme: Spender) -> None:
    """Until its days have settled; then never again."""
    make_budget(company=acme.company, percents=[80])
    acme.spends("83")
    december = NOW.replace(month=12, day=3)

    assert evaluate(now=december) == [EIGHTY]


def test_another_currency_counts_for_nothing(acme: Spender) -> None:
    """Amounts of different currencies are never added."""
    make_budget(company=acme.company, currency="eur")
    acme.spends("83")

    assert evaluate() == []


def test_a_message_says_how_far_it_reaches_and_what_is_unassigned(acme: Spender) -> None:
    """Through which day, what may still change, how much belongs to nobody, and where to look."""
    make_budget(company=acme.company, percents=[80])
    acme.spends("83")
    make_usage(project=make_keyless(provider=acme.provider), cost=Decimal("7.50"))
    evaluate()

    alert = Alert.objects.get()

    assert "$83.00 of $100.00 is spent (83.0 %)." in alert.text
    assert "Figures reach through 22 Nov 2026, UTC; those from 15 Nov 2026 on may still change." in alert.text
    assert "$7.50 of November 2026 is assigned to no company." in alert.text
    assert alert.path == f"/companies/{acme.company.pk}/?from=2026-11-01&to=2026-11-30"


def test_clients_are_told_nothing_of_others(acme: Spender) -> None:
    """Neither what is unassigned nor any name but their own."""
    make_budget(company=acme.company, percents=[80])
    acme.spends("83")
    evaluate()

    alert = Alert.objects.get()

    assert alert.client_title == "80 % of the November 2026 budget is spent"
    assert "assigned" not in alert.client_text
    assert acme.provider.name not in alert.client_text


@pytest.mark.parametrize(
    ("limit", "title"),
    [
        (Limit(Threshold.Kind.ACTUAL, Decimal(80)), "80 % of the November 2026 budget is spent"),
        (Limit(Threshold.Kind.ACTUAL, amount=Decimal(50)), "A threshold of the November 2026 budget is spent"),
    ],
)
def test_clients_who_see_prices_alone_are_told_no_amount(acme: Spender, limit: Limit, title: str) -> None:
    """A budget is of cost: how much of it is spent is a percentage to them."""
    Company.objects.update(markup_percent=Decimal(20))
    make_budget(company=Company.objects.get(pk=acme.company.pk), percents=[], limits=[limit])
    acme.spends("83")
    evaluate()

    alert = Alert.objects.get()

    assert (alert.client_title, alert.client_text.splitlines()[0]) == (title, "83.0 % of the budget is spent.")
    assert "$" not in alert.client_text


def forecast_budget(acme: Spender) -> None:
    """Of $100, with ten dollars a day spent in the last nine days."""
    make_budget(company=acme.company, percents=[], limits=[Limit(Threshold.Kind.FORECAST, Decimal(100))])
    for ago in range(1, 10):
        acme.spends("10", day=TODAY - timedelta(days=ago))


def test_a_forecast_is_told_of_when_it_was_found_twice_in_a_row(acme: Spender) -> None:
    """One look may be an accident of one sync."""
    forecast_budget(acme)

    assert evaluate() == []
    assert evaluate() == ["Acme: 100 % of the November 2026 budget is forecast to be spent"]
    assert len(evaluate()) == 1


def test_a_forecast_needs_settled_days(acme: Spender) -> None:
    """Without five of them in the period nothing is said, however often it is found."""
    forecast_budget(acme)
    for read in ReadDay.objects.filter(day__gte=MONTH + timedelta(days=SETTLED_DAYS - 1), day__lt=TODAY):
        ReadDay.objects.filter(pk=read.pk).update(read_at=end_of(read.day) + timedelta(hours=1))

    assert evaluate() == evaluate() == []


def test_who_finds_that_another_evaluation_has_told_tells_nothing(
    acme: Spender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both saw it before either told: the row that is updated first decides."""
    make_budget(company=acme.company, percents=[80])
    acme.spends("83")
    fire = budgets._fire

    def fire_late(*arguments: Any) -> None:
        monkeypatch.setattr(budgets, "_fire", fire)
        evaluate_budgets(World(NOW))
        fire(*arguments)

    monkeypatch.setattr(budgets, "_fire", fire_late)

    assert evaluate() == ["Acme: 80 % of the November 2026 budget is spent"]


def test_many_budgets_take_as_many_queries_as_few(acme: Spender, django_assert_max_num_queries: object) -> None:
    """Spend is read by all subjects at once; only the thresholds passed are written one by one."""
    for number in range(12):
        make_budget("1000", company=make_company(name=f"Client {number}"))
    evaluate()

    assert callable(django_assert_max_num_queries)
    with django_assert_max_num_queries(12):
        evaluate_budgets(World(NOW))

"""Unusual spending: what is told of it, when, and to whom; and what people say of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.chart_marks import unusual_days
from alerts.evaluation.watching import evaluate_rules
from alerts.models import Alert, RuleSetting, SpendEpisode
from alerts.rules.world import World
from alerts.services.episodes import say_of_episode
from core.days import DateRange
from costs.models import DailyUsage
from costs.reports.contributors import contributors
from costs.reports.spending import Subject
from providers.models import BEGINNING, Company, Project
from providers.services.assigning import assign_projects, undo_assignment
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)

pytestmark = pytest.mark.django_db

YESTERDAY = TODAY - timedelta(days=1)
FIRST = TODAY - timedelta(days=60)


def make_spender(name: str = "Acme", *, since: date = FIRST, until: date = YESTERDAY, cost: str = "20") -> Project:
    """A company whose key costs the same every day; all days are read, and but for the last week settled."""
    provider = make_provider(name="Agency" if name == "Acme" else f"{name} Agency", history_from=FIRST)
    project = make_project(provider=provider, name=f"{name} bot")
    make_assignment(project=project, company=make_company(name=name))
    make_read_days(provider=provider, first=FIRST, last=TODAY)
    spends(project, dict.fromkeys(DateRange(since, until), cost))
    return project


def spends(project: Project, costs: dict[date, str]) -> None:
    """So much on these days, whatever was there before."""
    DailyUsage.objects.filter(project=project, day__in=costs).delete()
    for day, cost in costs.items():
        make_usage(project=project, day=day, cost=Decimal(cost), credits=Decimal(cost) * 1000)


def told(*, days: int = 0, only: Iterable[str] = ("spend.unusual",)) -> list[str]:
    """The titles of all that was ever told, after a look so many days later."""
    evaluate_rules(World(NOW + timedelta(days=days)))
    return [alert.title for alert in Alert.objects.filter(kind__in=only).order_by("pk")]


def paths() -> list[str]:
    """The pages that alerts lead to, with their ranges."""
    return list(Alert.objects.filter(kind__in=("spend.new", "spend.silent")).values_list("path", flat=True))


def days_go_by(project: Project, costs: Iterable[str]) -> None:
    """So much each day from today on, all of which are read."""
    after = {TODAY + timedelta(days=number): cost for number, cost in enumerate(costs)}
    last = max(after)
    read_at = NOW + (last - TODAY) + timedelta(days=1)
    make_read_days(
        provider=project.provider, first=TODAY + timedelta(days=1), last=last + timedelta(days=1), read_at=read_at
    )
    project.provider.read_days.filter(day=TODAY).update(read_at=read_at)
    spends(project, after)


def test_an_ordinary_month_is_told_of_nothing() -> None:
    """The same every day."""
    make_spender()

    assert told() == []


def test_a_day_of_three_times_as_much_is_told_of_company_provider_and_key() -> None:
    """Once, however often it is looked at."""
    spends(make_spender(), {YESTERDAY: "60"})

    first, again = told(), told()

    more = "$40.00 more than usual on 21 Nov 2026"
    assert sorted(first) == sorted(again) == [f"Acme bot: {more}", f"Acme: {more}", f"Agency: {more}"]


def test_the_message_says_what_is_usual_what_is_behind_it_and_how_far_figures_reach() -> None:
    """For somebody who did not write the rule."""
    spends(make_spender(), {YESTERDAY: "60"})

    told()

    lines = Alert.objects.get(title__startswith="Acme:").text.splitlines()
    assert lines == [
        "$60.00 was spent on 21 Nov 2026, where $20.00 is usual (3.0 times as much).",
        "It comes mostly from Acme bot (+$40.00).",
        "By model: eleven_multilingual_v2 (+$40.00).",
        "Compared with the four weeks before, what was used makes $40.00 of the change and its price $0.00.",
        "Figures reach through 22 Nov 2026, UTC; those from 15 Nov 2026 on may still change.",
        "Nothing of November 2026 is assigned to no company.",
    ]


def test_an_agent_may_be_what_it_comes_from() -> None:
    """As well as an API key."""
    provider = make_spender().provider
    agent = make_project(provider=provider, name="Front desk", kind=Project.Kind.AGENT)
    make_assignment(project=agent, company=Company.objects.get())
    spends(agent, {YESTERDAY: "40"})

    told()

    assert "It comes mostly from Front desk (+$40.00)." in Alert.objects.get(title__startswith="Acme:").text


def test_less_than_the_amount_that_was_set_is_not_told_of() -> None:
    """Settings hold the least."""
    RuleSetting.objects.create(slug="spend.unusual", limit=Decimal(41))
    spends(make_spender(), {YESTERDAY: "60"})

    assert told() == []


def test_its_end_is_a_summary_and_its_alert_is_over() -> None:
    """After two calm days; of what it was about nothing is told again."""
    project = make_spender()
    spends(project, {YESTERDAY: "60"})
    told()
    days_go_by(project, ["20", "20"])

    titles = [title for title in told(days=2) if title.startswith("Acme: ")]

    assert titles == [
        "Acme: $40.00 more than usual on 21 Nov 2026",
        "Acme: unusual spending of 21 Nov 2026 is over",
    ]
    assert not Alert.objects.filter(title=titles[0], ended_at=None).exists()


@pytest.mark.parametrize("since", [BEGINNING, YESTERDAY])
def test_what_somebody_else_pays_after_all_is_gone(since: date) -> None:
    """With everything before it or without: said once more, and marked in no chart; what the key itself cost stays."""
    project = make_spender()
    spends(project, {YESTERDAY: "60"})
    told()

    assign_projects(projects=[project], company=make_company(name="Globex"), starts_on=since, now=NOW)
    titles = [title for title in told() if title.startswith("Acme: ")]

    assert titles == [
        "Acme: $40.00 more than usual on 21 Nov 2026",
        "Acme: unusual spending of 21 Nov 2026 is gone",
    ]
    assert told()[-1] == titles[-1]
    assert unusual_days(Company.objects.get(name="Acme"), DateRange(FIRST, TODAY)) == {}
    assert SpendEpisode.objects.open().filter(project=project).exists()


def test_what_is_assigned_back_is_unusual_again() -> None:
    """Without another word."""
    project = make_spender()
    spends(project, {YESTERDAY: "60"})
    told()
    change = assign_projects(projects=[project], company=make_company(name="Globex"), starts_on=YESTERDAY, now=NOW)
    before = told()

    undo_assignment(change=change, now=NOW)

    assert told() == before
    assert list(unusual_days(Company.objects.get(name="Acme"), DateRange(FIRST, TODAY))) == [YESTERDAY]


def test_cheap_days_after_a_dear_one_do_not_make_it_usual() -> None:
    """Over a weekend, say: the dear day stays what it was."""
    project = make_spender()
    spends(project, {YESTERDAY: "60"})
    told()
    days_go_by(project, ["1", "60"])

    told(days=2)

    assert not SpendEpisode.objects.filter(ended="gone").exists()


def test_days_that_were_restated_to_what_is_usual_are_gone() -> None:
    """Of everybody whose days they were."""
    project = make_spender()
    spends(project, {YESTERDAY: "60"})
    told()

    spends(project, {YESTERDAY: "20"})
    told()

    assert set(SpendEpisode.objects.values_list("ended", flat=True)) == {"gone"}
    assert not Alert.objects.open().filter(title__contains="more than usual").exists()


def test_it_is_told_once_more_when_it_doubles() -> None:
    """Once, though it goes on rising."""
    project = make_spender()
    spends(project, {YESTERDAY: "60"})
    told()
    days_go_by(project, ["100", "200"])

    told(days=1)
    titles = [title for title in told(days=2) if title.startswith("Acme: ")]

    assert titles[1:] == ["Acme: unusual spending since 21 Nov has doubled"]


def test_what_goes_on_for_two_weeks_is_usual_from_then_on() -> None:
    """The level is frozen until then."""
    project = make_spender()
    spends(project, {YESTERDAY: "60"})
    told()
    days_go_by(project, ["60"] * 20)

    told(days=21)

    episode = SpendEpisode.objects.get(company__name="Acme")
    assert (episode.ended, episode.last_day - episode.first_day) == ("accepted", timedelta(days=13))


def test_somebody_who_knew_of_it_ends_it() -> None:
    """What is expected is usual from its first day on, and nothing more is told."""
    project = make_spender()
    spends(project, {YESTERDAY: "60"})
    before = told()
    for episode in SpendEpisode.objects.all():
        say_of_episode(episode=episode, feedback="expected", now=NOW, made_by=None)
    days_go_by(project, ["60", "60", "60"])

    assert told(days=3) == before


def test_what_was_planned_is_followed_without_a_word() -> None:
    """Until it is over."""
    project = make_spender()
    spends(project, {YESTERDAY: "60"})
    before = told()
    for episode in SpendEpisode.objects.all():
        say_of_episode(episode=episode, feedback="planned", now=NOW, made_by=None)
    days_go_by(project, ["200", "20", "20"])

    assert told(days=3) == before
    assert set(SpendEpisode.objects.values_list("ended", flat=True)) == {"calm"}


@pytest.mark.parametrize("amounts", [Company.Amounts.COST, Company.Amounts.PRICE])
def test_viewers_of_the_company_are_told_of_no_key_and_no_provider(amounts: str) -> None:
    """And of a "price only" one no amount, which would be a cost."""
    spends(make_spender(), {YESTERDAY: "60"})
    Company.objects.update(statement_amounts=amounts, markup_percent=10)

    told()

    alert = Alert.objects.get(title__startswith="Acme:")
    words = f"{alert.client_title} {alert.client_text}"
    assert alert.client_title
    assert "bot" not in words
    assert "Agency" not in words
    assert ("$" in words) == (amounts == Company.Amounts.COST)


def test_new_spender_is_told_of_once() -> None:
    """Of whom nothing was known for weeks; from an amount on."""
    make_spender(since=TODAY - timedelta(days=3))

    first = told(only=["spend.new"])

    assert sorted(first) == [f"{name} has begun to spend: $60.00 so far" for name in ("Acme", "Agency")]
    assert all(path.endswith("?from=2026-11-19&to=2026-11-22") for path in paths())
    assert told(only=["spend.new"]) == first


def test_a_spender_of_old_who_goes_silent_is_told_of_until_it_spends_again() -> None:
    """After three days on which something is usual."""
    project = make_spender(until=TODAY - timedelta(days=4))

    titles = told(only=["spend.silent"])
    spends(project, {YESTERDAY: "20"})
    told()

    assert "Acme went silent: nothing since 18 Nov 2026" in titles
    assert all(path.endswith("?from=2026-11-18&to=2026-11-22") for path in paths())
    assert not Alert.objects.filter(kind="spend.silent", ended_at=None).exists()


def test_who_spends_is_read_in_the_same_few_queries_however_many_they_are() -> None:
    """Two of sums, three of keys, and one for those that have a budget."""
    for name in ("Acme", "Bluebird", "Cedar"):
        make_spender(name)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = World(NOW).spenders

    assert len(found) == 9
    assert len(queries) == 6


def test_price_and_quantity_add_up_to_the_change() -> None:
    """Twice as dear and half as much again."""
    project = make_spender()
    DailyUsage.objects.filter(project=project, day=YESTERDAY).update(cost=Decimal(60), credits=Decimal(30_000))

    found = contributors(Subject.PROJECT, project.pk, "usd", DateRange(YESTERDAY, YESTERDAY))

    assert (found.by_quantity, found.by_price) == (Decimal(10), Decimal(30))

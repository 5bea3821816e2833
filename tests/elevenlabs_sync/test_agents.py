"""Usage of agents, from the simulated workspace to what is stored: divided where it is told, whole where it is not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest

from core.secrets import ApiKey
from costs.models import DailyUsage, Restatement
from elevenlabs_sync.simulator import USAGE_ONLY_API_KEY, Agents, Cost
from elevenlabs_sync.simulator.routes import AGENTS_PATH, USAGE_PATH
from providers.models import Project, Provider, SyncRun
from syncing import windows
from tests.elevenlabs_sync.modes import Simulated, simulated
from tests.elevenlabs_sync.worlds import NOW
from tests.simulation import drift, faults

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

FIRST_DAY = NOW.date() - timedelta(days=9)
HARBOR = "Harbor Clinic – booking line"
DRIVERS = "Meridian Logistics – drivers"
BY_AGENT = {"attributes_by": Provider.AttributesBy.AGENT}


@pytest.fixture
def here() -> Iterator[Simulated]:
    with simulated(first_day=FIRST_DAY, agents=Agents.TOLD) as world:
        yield world


def credits_by_project(provider: Provider, day: date) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in DailyUsage.objects.for_provider(provider).filter(day=day).used().select_related("project"):
        sums[row.project.name or row.project.kind] += row.credits or 0
    return dict(sums)


def told(here: Simulated, day: date, agent: str) -> Decimal:
    """What the workspace knows of one agent's credits."""
    ids = {member.name: here.workspace.agent_id(member) for member in here.workspace.agent_cast}
    used = here.workspace.used(day, day + timedelta(days=1))
    return sum((row.credits for row in used if row.agent == ids[agent]), Decimal(0))


def stored_totals(provider: Provider) -> dict[tuple[date, str], tuple[Decimal, Decimal, int, Decimal, bool]]:
    """Of each day and model, over all projects; last whether a cost is unknown."""
    sums: dict[tuple[date, str], list[DailyUsage]] = defaultdict(list)
    for row in DailyUsage.objects.for_provider(provider).used():
        sums[row.day, row.model].append(row)
    return {
        place: (
            sum((row.credits or Decimal(0) for row in rows), Decimal(0)),
            sum((row.minutes or Decimal(0) for row in rows), Decimal(0)),
            sum(row.requests or 0 for row in rows),
            sum((row.cost or Decimal(0) for row in rows), Decimal(0)),
            any(row.cost is None for row in rows),
        )
        for place, rows in sums.items()
    }


def usage_requests(here: Simulated) -> list[list[str]]:
    """What each request for usage is grouped by."""
    return [request.body["group_by"] for request in here.server.requests if request.path == USAGE_PATH]


def undivided_twin(here: Simulated) -> Provider:
    """The same workspace, read without agents."""
    known = here.provider
    here.provider = Provider.objects.create(
        type=known.type,
        name="Twin",
        region=known.region,
        history_from=known.history_from,
        **_key_of(USAGE_ONLY_API_KEY),
    )
    assert here.sync().outcome == SyncRun.Outcome.SUCCEEDED
    twin, here.provider = here.provider, known
    return twin


def _key_of(api_key: str) -> dict[str, str]:
    provider = Provider()
    provider.api_key = ApiKey(api_key)
    return {name: getattr(provider, name) for name in ("encrypted_key", "key_last_four", "key_fingerprint")}


def test_an_agents_public_usage_is_its_own(here: Simulated) -> None:
    """What carries no key is divided; what agents use with a key stays with the key."""
    here.sync()

    day = NOW.date() - timedelta(days=3)
    used = credits_by_project(here.provider, day)
    assert used[HARBOR] == told(here, day, HARBOR) > 0
    assert DRIVERS not in used
    assert here.provider.agent_usage == Provider.AgentUsage.TOLD


def test_totals_of_every_day_and_model_are_those_without_division(here: Simulated) -> None:
    """Digit for digit, also of what has no price yet."""
    here.sync()

    assert stored_totals(here.provider) == stored_totals(undivided_twin(here))


def test_agents_are_projects_with_their_tags(here: Simulated) -> None:
    """A deleted one that was never listed is not known."""
    here.sync()

    agents = {agent.name: agent.tags for agent in Project.objects.for_provider(here.provider).agents()}
    assert agents[HARBOR] == ["harbor", "phone"]
    assert len(agents) == 5


def test_an_hourly_sync_makes_one_more_request_for_up_to_100_agents(here: Simulated) -> None:
    """One for usage, one for the agents' part of it."""
    here.sync()
    here.server.recording.clear()
    here.clock.move(hours=1)

    here.sync()

    assert usage_requests(here) == [
        ["hashed_xi_api_key", "model"],
        ["hashed_xi_api_key", "model", "resource_id"],
    ]


def test_a_workspace_without_agents_is_asked_nothing_more() -> None:
    """One request for usage, and the listing."""
    with simulated(first_day=FIRST_DAY) as here:
        run = here.sync()

        assert usage_requests(here) == [["hashed_xi_api_key", "model"]]
        assert (run.outcome, run.notes) == (SyncRun.Outcome.SUCCEEDED, [])


def test_a_key_that_may_not_list_agents_is_told_the_permission_once() -> None:
    """Everything else is as without agents."""
    with simulated(first_day=FIRST_DAY, agents=Agents.TOLD, api_key=USAGE_ONLY_API_KEY) as here:
        first, second = here.sync(), here.sync(trigger=SyncRun.Trigger.MANUAL)

        assert first.notes == [
            "The API key lacks the permission convai_read to list agents. Usage is not divided by agent."
        ]
        assert second.notes == []
        assert here.exported == here.expected
        assert here.provider.agent_usage == Provider.AgentUsage.NO_PERMISSION


@pytest.mark.parametrize(
    "fault",
    [
        faults.ErrorStatus(404, message="Not Found"),
        faults.ErrorStatus(503),
        faults.ErrorStatus(401, code="invalid_api_key"),
        faults.Html(),
        faults.CutJson(),
    ],
    ids=["404", "503", "401", "HTML", "cut"],
)
def test_without_a_listing_of_agents_usage_is_read_as_ever(here: Simulated, fault: faults.Fault) -> None:
    """Whatever is wrong with it."""
    here.server.faults.add(AGENTS_PATH, fault, times=None)

    run = here.sync()

    assert run.outcome == SyncRun.Outcome.SUCCEEDED
    assert here.exported == here.expected


def test_when_the_second_request_fails_the_division_stands_where_it_still_adds_up(here: Simulated) -> None:
    """And what is new is undivided, which the run says."""
    here.sync()
    before, day = credits_by_project(here.provider, FIRST_DAY), NOW.date() - timedelta(days=3)
    standing = credits_by_project(here.provider, day)
    here.server.faults.add(USAGE_PATH, faults.ErrorStatus(503), times=1, after=1)

    run = here.sync()

    assert run.outcome == SyncRun.Outcome.SUCCEEDED
    assert credits_by_project(here.provider, FIRST_DAY) == before
    assert credits_by_project(here.provider, day) == standing
    assert run.notes == [
        "Usage could not be divided by agent this time (unavailable): what changed since the last sync is not divided."
    ]


def test_after_a_failure_the_division_of_earlier_days_stands_too(here: Simulated) -> None:
    """It is not asked for again in the same sync."""
    here.sync()
    before = credits_by_project(here.provider, FIRST_DAY)
    here.server.faults.add(USAGE_PATH, faults.ErrorStatus(503), times=1, after=1)

    with patch.object(windows, "PIECE_DAYS", 5):
        run = here.sync(trigger=SyncRun.Trigger.MANUAL, requested_from=FIRST_DAY, requested_to=NOW.date())

    assert run.outcome == SyncRun.Outcome.SUCCEEDED
    assert credits_by_project(here.provider, FIRST_DAY) == before


def test_a_refusal_of_the_question_is_remembered_until_the_night(here: Simulated) -> None:
    """An endpoint that does not know the column is asked no more, and again by night."""
    here.server.faults.add(USAGE_PATH, faults.ErrorStatus(422), times=1, after=1)
    here.sync()
    assert here.provider.agent_usage == Provider.AgentUsage.NOT_TOLD
    assert here.exported == here.expected

    here.sync()
    assert usage_requests(here)[2:] == [["hashed_xi_api_key", "model"]]

    here.sync(trigger=SyncRun.Trigger.NIGHTLY, requested_from=FIRST_DAY, requested_to=NOW.date())
    assert here.provider.agent_usage == Provider.AgentUsage.TOLD
    assert credits_by_project(here.provider, FIRST_DAY)[HARBOR] > 0


def test_agents_before_keys_take_what_they_used_with_a_key() -> None:
    """One key that serves two agents keeps the rest, and every total stays."""
    with simulated(first_day=FIRST_DAY, agents=Agents.TOLD, provider=BY_AGENT) as here:
        here.sync()

        day = NOW.date() - timedelta(days=3)
        used = credits_by_project(here.provider, day)
        assert used[DRIVERS] == told(here, day, DRIVERS) > 0
        assert used["Meridian Logistics – dispatch"] > 0
        assert stored_totals(here.provider) == stored_totals(undivided_twin(here))


def test_attributing_by_agent_restates_nothing() -> None:
    """Settled days are read again: what moves between key and agent was used as ever."""
    with simulated(first_day=FIRST_DAY, agents=Agents.TOLD) as here:
        here.sync()
        here.clock.move(days=30)
        here.sync()
        Provider.objects.filter(pk=here.provider.pk).update(**BY_AGENT)
        before = stored_totals(here.provider)
        Restatement.objects.all().delete()  # late prices

        run = here.sync(
            trigger=SyncRun.Trigger.MANUAL, requested_from=FIRST_DAY, requested_to=FIRST_DAY + timedelta(days=15)
        )

        assert run.outcome == SyncRun.Outcome.SUCCEEDED
        assert credits_by_project(here.provider, FIRST_DAY)[DRIVERS] > 0
        assert stored_totals(here.provider) == before
        assert not Restatement.objects.exists()


def test_a_workspace_billed_by_cost_has_agents_and_no_division() -> None:
    """Its endpoint knows no resource."""
    with simulated(first_day=FIRST_DAY, agents=Agents.TOLD, billing=Cost()) as here:
        here.sync()

        assert here.exported == here.expected
        assert Project.objects.for_provider(here.provider).agents().count() == 5


def tenfold(table: dict[str, Any]) -> dict[str, Any]:
    """Claims of ten times the credits."""
    at = table["columns"].index("total_usage")
    return {**table, "rows": [[*row[:at], row[at] * 10, *row[at + 1 :]] for row in table["rows"]]}


def unpriced(table: dict[str, Any]) -> dict[str, Any]:
    at = table["columns"].index("total_cost")
    return {**table, "rows": [[*row[:at], None, *row[at + 1 :]] for row in table["rows"]]}


@pytest.mark.parametrize(
    ("fault", "remark"),
    [
        (drift.without("resource_id"), ""),
        (faults.Transform(tenfold), "Not divided by agent, because the agents' usage is more than there is: "),
        (faults.Transform(unpriced), "Not divided by agent, because a figure is known of the whole, but not of the"),
        (faults.ErrorStatus(500), ""),
        (faults.Html(), ""),
        (faults.ErrorStatus(401, code="invalid_api_key"), ""),
    ],
    ids=["no column", "too much", "no price", "500", "HTML", "401"],
)
def test_whatever_the_second_answer_is_the_main_numbers_are_right(
    here: Simulated, fault: faults.Fault, remark: str
) -> None:
    """Totals of every day and model; what is left undivided for its own reasons is said."""
    here.server.faults.add(USAGE_PATH, fault, times=1, after=1)

    run = here.sync()

    assert run.outcome == SyncRun.Outcome.SUCCEEDED
    assert stored_totals(here.provider) == stored_totals(undivided_twin(here))
    assert all(note.startswith(remark) for note in run.notes) if remark else run.notes == []


def test_a_filter_that_is_ignored_changes_nothing(here: Simulated) -> None:
    """Resources that were not asked for are nobody's."""
    with patch("elevenlabs_sync.simulator.queries._read_filters", return_value=()):
        here.sync()

    assert stored_totals(here.provider) == stored_totals(undivided_twin(here))
    assert credits_by_project(here.provider, FIRST_DAY)[HARBOR] == told(here, FIRST_DAY, HARBOR)


def test_usage_that_names_no_agent_although_one_was_called_is_found_out() -> None:
    """At the first sync that sees agents; the hourly ones then ask no more, until the night."""
    with simulated(first_day=FIRST_DAY, agents=Agents.UNTOLD) as here:
        here.sync()
        here.server.recording.clear()
        here.clock.move(hours=1)

        here.sync()

        assert here.provider.agent_usage == Provider.AgentUsage.NOT_TOLD
        assert usage_requests(here) == [["hashed_xi_api_key", "model"]]


def test_agents_that_were_never_called_may_be_named_yet() -> None:
    """Nothing is known as long as nothing was there to be told."""
    with simulated(first_day=FIRST_DAY, agents=Agents.UNTOLD) as here:
        with patch("elevenlabs_sync.agents._day", return_value=None):
            here.sync()

        assert here.provider.agent_usage == Provider.AgentUsage.UNKNOWN

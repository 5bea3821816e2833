"""Reading windows from whichever endpoint knows their days, against the simulated workspace over a socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from elevenlabs_sync import client as client_module
from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.reading import UsageReader
from elevenlabs_sync.simulator import RESTRICTED_API_KEY, SIMULATED_API_KEY, Billing, Cost, Credits, Moved
from elevenlabs_sync.simulator.answers import Answer, invalid, plain_error, refusal, typed_refusal
from elevenlabs_sync.simulator.routes import COST_PATH, USAGE_PATH
from syncing.errors import (
    AnswerTooLargeError,
    InvalidKeyError,
    MissingPermissionError,
    ProviderError,
    RejectedError,
    UnavailableError,
    UnexpectedResponseError,
)
from syncing.reader import Reading, SyncSession, UsageRow
from syncing.windows import Window
from tests.elevenlabs_sync.modes import Rows, rows_of
from tests.elevenlabs_sync.worlds import NOW
from tests.simulation import EditedWorkspace, FaultySimulator, drift, faults

pytestmark = pytest.mark.any_engine


TODAY = NOW.date()
WINDOW = Window(TODAY - timedelta(days=11), TODAY)
MOVED_ON = TODAY - timedelta(days=5)
SESSION = SyncSession(call=lambda call: call(), clock=lambda: NOW)

REFUSALS = [
    refusal(400, "some_code", "Not here."),
    refusal(402, "some_code", "Not here."),
    refusal(403, "some_code", "Not here."),
    typed_refusal(403, "some_type", "some_code", "Not here."),
    plain_error(404, "Not Found"),
    refusal(409, "some_code", "Not here."),
    invalid([{"loc": ["body"], "msg": "Not here.", "type": "value_error"}]),
]


@dataclass
class Desk:
    """A workspace's server and somebody who reads from it."""

    server: FaultySimulator
    client: ElevenLabsClient
    cost_from: date | None

    def __post_init__(self) -> None:
        self.reader = UsageReader(self.client, session=SESSION, cost_from=self.cost_from)

    def next_run(self) -> Desk:
        """The same desk with a reader that knows no more than what is remembered between two runs."""
        return Desk(self.server, self.client, self.reader.cost_from)

    def read(self, window: Window = WINDOW) -> list[Reading]:
        return list(self.reader.read(window))

    def rows(self, window: Window = WINDOW) -> Rows:
        return as_exported(row for reading in self.read(window) for row in reading.rows)

    def truth(self, window: Window = WINDOW) -> Rows:
        workspace = self.server.current_workspace()
        return rows_of(workspace.rows(window.first, window.last + timedelta(days=1)), currency=workspace.currency)

    @property
    def asked(self) -> list[str]:
        return [request.path for request in self.server.requests]


def as_exported(rows: Iterator[UsageRow] | Any) -> Rows:
    return {
        (row.external_id or "", row.day.isoformat(), row.model): (
            row.credits,
            row.minutes,
            None if row.requests is None else Decimal(row.requests),
            row.cost,
            row.currency,
        )
        for row in rows
    }


class Desks:
    """Makes desks, and closes them at the end of the test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __call__(
        self,
        billing: Billing,
        *,
        cost_from: date | None = None,
        api_key: str = SIMULATED_API_KEY,
        **server_options: Any,
    ) -> Desk:
        workspace = EditedWorkspace(TODAY, history_days=60, billing=billing)
        server = self._stack.enter_context(FaultySimulator(workspace, **server_options))
        client = self._stack.enter_context(
            ElevenLabsClient(base_url=server.base_url, api_key=api_key, user_agent="Test", deadline=10)
        )
        return Desk(server, client, cost_from)


@pytest.fixture
def desk() -> Iterator[Desks]:
    with ExitStack() as stack:
        yield Desks(stack)


# --- Which endpoint ---------------------------------------------------------------------------------------------------


def test_days_in_credits_are_one_request(desk: Desks) -> None:
    """The usage endpoint answers at once and nothing is learned."""
    credits_ = desk(Credits())

    assert credits_.rows() == credits_.truth()
    assert credits_.asked == [USAGE_PATH]
    assert credits_.reader.cost_from is None


def test_days_billed_by_cost_are_found_at_the_other_endpoint(desk: Desks) -> None:
    """Refused, the window is read as cost, of which credits, minutes and requests are unknown."""
    cost = desk(Cost())

    rows = cost.rows()

    assert rows == cost.truth()
    assert {row[:3] for row in rows.values()} == {(None, None, None)}
    assert cost.reader.cost_from == WINDOW.first


@pytest.mark.parametrize("end_reaches", [False, True])
@pytest.mark.parametrize("days_in_credits", [0, 1, 2, 6, 10, 11])
def test_move_within_the_window_divides_it(desk: Desks, days_in_credits: int, *, end_reaches: bool) -> None:
    """Wherever the move lies, each day comes once and from the endpoint that knows it; the day is learned."""
    moved_on = WINDOW.first + timedelta(days=days_in_credits)
    moved = desk(Moved(moved_on, end_reaches=end_reaches))

    readings = moved.read()

    assert as_exported(row for reading in readings for row in reading.rows) == moved.truth()
    assert sum(len(reading.window) for reading in readings) == len(WINDOW)
    assert {reading.window.first for reading in readings} == {WINDOW.first, moved_on}
    assert moved.reader.cost_from == moved_on


@pytest.mark.parametrize("end_reaches", [False, True])
def test_window_that_ends_at_the_move_is_all_in_credits(desk: Desks, *, end_reaches: bool) -> None:
    """A range that only touches the move has its usage, whichever way the service counts that end."""
    moved = desk(Moved(MOVED_ON, end_reaches=end_reaches))
    before = Window(MOVED_ON - timedelta(days=5), MOVED_ON - timedelta(days=1))

    rows = moved.rows(before)

    assert rows == moved.truth(before)
    assert COST_PATH not in moved.asked
    assert moved.reader.cost_from is None


def test_window_that_begins_at_the_move_is_all_cost(desk: Desks) -> None:
    """The first day billed by cost is learned as such."""
    moved = desk(Moved(MOVED_ON))
    after = Window(MOVED_ON, TODAY)

    assert moved.rows(after) == moved.truth(after)
    assert moved.reader.cost_from == MOVED_ON


def test_earlier_windows_move_the_learned_day_back(desk: Desks) -> None:
    """Read newest first, as a sync does, each window adds to what is known of the billing."""
    moved = desk(Moved(TODAY - timedelta(days=40)))

    for last in (TODAY, TODAY - timedelta(days=30)):
        window = Window(last - timedelta(days=29), last)
        assert moved.rows(window) == moved.truth(window)

    assert moved.reader.cost_from == TODAY - timedelta(days=40)


def test_workspace_that_moves_between_two_reads_is_noticed(desk: Desks) -> None:
    """What is known of past days does not keep a later move from being found."""
    moved = desk(Credits())
    assert moved.rows() == moved.truth()

    moved.server.workspace = EditedWorkspace(TODAY, history_days=60, billing=Moved(TODAY))
    moved = moved.next_run()

    assert moved.rows() == moved.truth()
    assert moved.reader.cost_from == TODAY


@pytest.mark.parametrize("answer", REFUSALS, ids=lambda answer: str(answer.status))
def test_any_refusal_that_is_not_about_the_key_may_mean_the_billing(desk: Desks, answer: Answer) -> None:
    """How the service refuses is not documented: each of the plausible ways leads to the other endpoint."""
    moved = desk(Moved(MOVED_ON), wrong_billing=answer)

    assert moved.rows() == moved.truth()


def test_day_that_was_mistaken_for_the_move_is_forgotten(desk: Desks) -> None:
    """Where the usage endpoint answers for the remembered day after all, the move is searched anew."""
    mistaken = desk(Moved(MOVED_ON), cost_from=WINDOW.first)

    mistaken.reader.check_billing()

    assert mistaken.reader.cost_from is None
    assert mistaken.rows() == mistaken.truth()
    assert mistaken.reader.cost_from == MOVED_ON


def test_remembered_day_that_holds_is_kept(desk: Desks) -> None:
    """The check costs a question or two and changes nothing."""
    moved = desk(Moved(MOVED_ON), cost_from=MOVED_ON)

    moved.reader.check_billing()

    assert moved.reader.cost_from == MOVED_ON
    assert moved.asked == [USAGE_PATH, USAGE_PATH]


# --- How many requests ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("billing", "cost_from", "asked"),
    [
        (Credits(), None, [USAGE_PATH]),
        (Cost(), TODAY - timedelta(days=30), [COST_PATH]),
        (Moved(TODAY - timedelta(days=30)), TODAY - timedelta(days=30), [COST_PATH]),
        (Moved(WINDOW.first), WINDOW.first, [COST_PATH]),
        (Moved(MOVED_ON), MOVED_ON, [COST_PATH, USAGE_PATH]),
    ],
    ids=["credits", "cost", "moved long ago", "moved at the edge", "moved within"],
)
def test_known_billing_takes_one_request_a_part(
    desk: Desks, billing: Billing, cost_from: date | None, asked: list[str]
) -> None:
    """Once learned, no request is spent on finding out."""
    known = desk(billing, cost_from=cost_from)

    assert known.rows() == known.truth()
    assert known.asked == asked


def test_finding_the_move_takes_few_requests(desk: Desks) -> None:
    """A month is searched by halves, with two questions at most for each."""
    moved = desk(Moved(TODAY - timedelta(days=17)))

    moved.read(Window(TODAY - timedelta(days=29), TODAY))

    assert len(moved.asked) <= 15


# --- Failures ---------------------------------------------------------------------------------------------------------


def test_first_refusal_is_the_error_where_neither_endpoint_answers(desk: Desks) -> None:
    """The workspace's main endpoint says what is wrong; the other's refusal would mislead."""
    neither = desk(Credits())
    neither.server.faults.add(USAGE_PATH, faults.ErrorStatus(422, message="The first."), times=None)
    neither.server.faults.add(COST_PATH, faults.ErrorStatus(400, message="The second."), times=None)

    with pytest.raises(RejectedError, match=r"The first\."):
        neither.read()

    assert neither.asked.count(COST_PATH) == 1


def test_failure_of_the_other_endpoint_is_the_error_where_waiting_may_help(desk: Desks) -> None:
    """A refusal that leads to an endpoint that is down says nothing about the billing yet."""
    cost = desk(Cost())
    cost.server.faults.add(COST_PATH, faults.ErrorStatus(503), times=None)

    with pytest.raises(UnavailableError):
        cost.read()

    assert cost.reader.cost_from is None


@pytest.mark.parametrize(
    ("api_key", "error"),
    [("sk_" + "0" * 48, InvalidKeyError), (RESTRICTED_API_KEY, MissingPermissionError)],
    ids=["revoked", "restricted"],
)
@pytest.mark.parametrize("billing", [Credits(), Cost()], ids=["credits", "cost"])
def test_refused_key_is_asked_about_once(
    desk: Desks, billing: Billing, api_key: str, error: type[ProviderError]
) -> None:
    """What is wrong with the key is wrong at every endpoint: no other one is tried."""
    locked = desk(billing, api_key=api_key)

    with pytest.raises(error):
        locked.read()

    assert locked.asked == [USAGE_PATH]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_failure_says_nothing_about_the_billing(desk: Desks, status: int) -> None:
    """Whoever repeats calls repeats this one; the other endpoint is not asked."""
    busy = desk(Credits())
    busy.server.faults.add(USAGE_PATH, faults.ErrorStatus(status))

    with pytest.raises(ProviderError):
        busy.read()

    assert busy.asked == [USAGE_PATH]


def test_key_that_is_revoked_while_the_move_is_searched_ends_the_search(desk: Desks) -> None:
    """A refused key in the middle is an error, never a day of the move."""
    moved = desk(Moved(MOVED_ON))
    moved.server.faults.add(USAGE_PATH, faults.ErrorStatus(401, code="invalid_api_key"), after=4)

    with pytest.raises(InvalidKeyError):
        moved.read()

    assert moved.reader.cost_from is None


def test_refusal_of_days_before_a_known_move_is_an_error(desk: Desks) -> None:
    """Days before the last ones in credits can't be billed by cost: they are never taken for empty."""
    moved = desk(Moved(MOVED_ON))
    moved.read()
    moved.server.faults.add(USAGE_PATH, faults.ErrorStatus(400, message="Just now."), times=None)

    with pytest.raises(RejectedError, match=r"Just now\."):
        moved.read(Window(WINDOW.first - timedelta(days=12), WINDOW.first - timedelta(days=1)))

    assert moved.reader.cost_from == MOVED_ON


# --- Too large --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("billing", [Credits(), Cost(), Moved(MOVED_ON)], ids=["credits", "cost", "moved"])
def test_answer_that_is_too_large_is_asked_for_in_halves(
    desk: Desks, billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a cap that a few days pass, the parts are small, later ones first, and hold every row."""
    large = desk(billing)
    monkeypatch.setattr(client_module, "MAX_ANSWER_BYTES", 12_000)

    readings = large.read()

    assert as_exported(row for reading in readings for row in reading.rows) == large.truth()
    assert len(readings) > 2
    days = [reading.window.last for reading in readings]
    assert days == sorted(days, reverse=True)
    assert sum(len(reading.window) for reading in readings) == len(WINDOW)


def test_day_that_is_too_large_is_an_error(desk: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing less to ask for."""
    large = desk(Credits())
    monkeypatch.setattr(client_module, "MAX_ANSWER_BYTES", 100)

    with pytest.raises(AnswerTooLargeError):
        large.read()


# --- What is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("billing", [Credits(), Cost()], ids=["credits", "cost"])
def test_unknown_columns_are_remembered(desk: Desks, billing: Billing) -> None:
    """They change no figure; the readings name them."""
    grown = desk(billing)
    grown.server.faults.add("/v1/workspace", drift.with_added_columns(["carbon_grams"]), times=None)

    readings = grown.read()

    assert as_exported(row for reading in readings for row in reading.rows) == grown.truth()
    assert {column for reading in readings for column in reading.unread_columns} == {"carbon_grams"}


@pytest.mark.parametrize("billing", [Credits(), Cost()], ids=["credits", "cost"])
def test_answer_that_can_not_be_understood_is_not_about_the_billing(desk: Desks, billing: Billing) -> None:
    """A wrong unit is an error at either endpoint, named by its column."""
    odd = desk(billing)
    odd.server.faults.add("/v1/workspace", drift.unit("total_cost", "chf"), times=None)

    with pytest.raises(UnexpectedResponseError, match="column total_cost has the unit chf"):
        odd.read()

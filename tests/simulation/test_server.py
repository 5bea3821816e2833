"""The server besides its faults: what it remembers, how else it may answer, and that stopping it ends everything."""

import threading
from datetime import date
from decimal import Decimal

import pytest

from elevenlabs_sync.simulator import SIMULATED_API_KEY, Cost
from elevenlabs_sync.simulator.answers import Answer, plain_error, refusal
from elevenlabs_sync.simulator.routes import MODELS_PATH, USAGE_PATH
from tests.simulation import EditedWorkspace, FaultySimulator, faults
from tests.simulation.calls import (
    TODAY,
    get,
    post_cost,
    post_usage,
    raw_usage_request,
    records,
    usage_body,
    within,
)

START, END = date(2026, 8, 1), date(2026, 9, 1)
BODY = usage_body(START, END)


@pytest.mark.parametrize(
    "fault",
    [faults.Delay(600), faults.Drip(600), faults.DripHeaders(600), faults.Endless()],
    ids=lambda f: type(f).__name__,
)
def test_stopping_ends_every_fault(workspace: EditedWorkspace, fault: faults.Fault) -> None:
    """A fault that would go on for minutes, or blocks on a client that doesn't read, ends with the server."""
    server = FaultySimulator(workspace)
    server.start()
    server.faults.add(USAGE_PATH, fault)
    with raw_usage_request(server, BODY):
        while not server.requests:
            threading.Event().wait(0.005)

        server.stop()

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("simulator")]


def test_requests_are_recorded_without_the_key(server: FaultySimulator) -> None:
    """Method, path, query, headers and JSON body of a request can be looked at, its key cannot."""
    post_usage(server, BODY)
    get(server, MODELS_PATH + "?page=2")

    first, second = server.requests

    assert (first.method, first.path, first.body) == ("POST", USAGE_PATH, BODY)
    assert first.headers["xi-api-key"] == "***"
    assert (second.method, second.path, second.query, second.body) == ("GET", MODELS_PATH, "page=2", None)
    assert SIMULATED_API_KEY not in repr(server.requests)


def test_many_clients_are_served_at_once(server: FaultySimulator) -> None:
    """A slow request does not hold up others."""
    server.faults.add(USAGE_PATH, faults.Delay(600))

    with raw_usage_request(server, BODY):
        responses = [get(server, MODELS_PATH) for _ in range(5)]

    assert {response.status_code for response in responses} == {200}


def test_numbers_can_be_decimal_strings(workspace: EditedWorkspace) -> None:
    """On demand every number is a string of the same value, and null stays null."""
    with FaultySimulator(workspace, decimal_strings=True) as server:
        rows = within(records(post_usage(server, BODY).json()), START, END)

    assert all(isinstance(row["total_cost"], str) for row in rows)
    assert sum(Decimal(row["total_cost"]) for row in rows) == workspace.totals(START, END).cost


@pytest.mark.parametrize("refused", [refusal(422, "metronome_workspace", "No."), plain_error(404, "Not Found")])
def test_the_refusal_of_another_billing_can_be_another(server: FaultySimulator, refused: Answer) -> None:
    """Since the real code is unknown, both endpoints can be told what to say, while the server runs."""
    server.wrong_billing = refused

    in_credits = post_cost(server, BODY)
    server.workspace = EditedWorkspace(TODAY, billing=Cost())
    by_cost = post_usage(server, BODY)

    assert [response.status_code for response in (in_credits, by_cost)] == [refused.status] * 2
    assert [response.json() for response in (in_credits, by_cost)] == [refused.document] * 2


def test_numbers_of_cost_can_be_decimal_strings() -> None:
    """On demand every number is a string of the same value."""
    workspace = EditedWorkspace(TODAY, billing=Cost())

    with FaultySimulator(workspace, decimal_strings=True) as server:
        rows = within(records(post_cost(server, BODY).json()), START, END)

    assert sum(Decimal(row["total_cost"]) for row in rows) == workspace.totals(START, END).cost

"""Commanding a simulator over HTTP, as a test does whose simulator is another process."""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from elevenlabs_sync.simulator import SIMULATED_API_KEY
from elevenlabs_sync.simulator.routes import MODELS_PATH, USAGE_PATH
from tests.simulation import EditedWorkspace, FaultySimulator, WorkspaceEdits
from tests.simulation.calls import TLS, TODAY, get, post_usage, usage_body
from tests.simulation.commands import CommandError, read_edit, read_fault
from tests.simulation.edits import Hide, Restate
from tests.simulation.faults import ConnectionReset, ErrorStatus, Gate
from tests.simulation.key_edits import AddKey

START, END = date(2026, 8, 1), date(2026, 9, 1)
LAST = date(2026, 8, 31)
BODY = usage_body(START, END)


@pytest.fixture
def commanded(workspace: EditedWorkspace) -> Iterator[FaultySimulator]:
    with FaultySimulator(workspace, control=True) as running:
        yield running


def command(server: FaultySimulator, what: str, document: object) -> httpx.Response:
    return httpx.post(f"{server.base_url}/_control/{what}", json=document, timeout=5, verify=TLS)


def ask(server: FaultySimulator, what: str) -> Any:
    return httpx.get(f"{server.base_url}/_control/{what}", timeout=5, verify=TLS).json()


@pytest.mark.parametrize("what", ["faults", "edits", "keys", "gates", "requests", "totals", ""])
def test_without_the_option_there_is_no_control(server: FaultySimulator, what: str) -> None:
    """An ordinary server knows nothing of these paths."""
    responses = [command(server, what, {"clear": True}), get(server, f"/_control/{what}")]

    assert [response.status_code for response in responses] == [404, 404]
    assert len(server.requests) == 2


def test_faults_can_be_added(commanded: FaultySimulator) -> None:
    """A list of faults acts in its order, with times, positions and a drift among them."""
    done = command(
        commanded,
        "faults",
        [
            {"fault": "ErrorStatus", "arguments": {"status": 429, "headers": {"Retry-After": "7"}}, "times": 2},
            {"fault": "unit", "arguments": {"column": "total_cost", "unit": "gbp"}, "path_prefix": USAGE_PATH},
            {"fault": "Html", "after": 4},
        ],
    )

    responses = [post_usage(commanded, BODY) for _ in range(5)]

    assert done.json() == {"done": True}
    assert [response.status_code for response in responses] == [429, 429, 200, 200, 502]
    assert responses[0].headers["retry-after"] == "7"
    assert "gbp" in responses[2].json()["column_units"]


def test_faults_can_be_cleared(commanded: FaultySimulator) -> None:
    """Clearing forgets what has no end of its own."""
    command(commanded, "faults", {"fault": "ErrorStatus", "arguments": {"status": 500}, "times": None})

    command(commanded, "faults", {"clear": True})

    assert get(commanded, MODELS_PATH).status_code == 200


def test_edits_can_be_added_undone_and_cleared(commanded: FaultySimulator, workspace: EditedWorkspace) -> None:
    """The truth follows, and undoing takes the edit as it was sent."""
    before = workspace.totals(START, END)
    restate = {"edit": "Restate", "arguments": {"start": "2026-08-01", "end": "2026-09-01", "factor": 2}}

    command(commanded, "edits", [restate, {"edit": "Hide", "arguments": {"key": "keyless"}}])
    both = list(workspace.edits)
    command(commanded, "edits", {"undo": restate})
    one = list(workspace.edits)
    command(commanded, "edits", {"clear": True})

    assert both == [Restate(START, END, factor=Decimal(2)), Hide(key="keyless")]
    assert one == [Hide(key="keyless")]
    assert workspace.totals(START, END) == before


def test_the_truth_can_be_asked_for(commanded: FaultySimulator, workspace: EditedWorkspace) -> None:
    """Totals of inclusive days, edits and all, come with exact numbers as text."""
    command(commanded, "edits", {"edit": "Restate", "arguments": {"factor": "0.5"}})

    told = ask(commanded, f"totals?first={START}&last={LAST}")

    truth = workspace.totals(START, END)
    assert Decimal(told["credits"]) == truth.credits
    assert Decimal(told["cost"]) == truth.cost
    assert (told["requests"], told["unpriced_rows"], told["unmetered_rows"]) == (truth.requests, 0, 0)


def test_keys_can_be_revoked_and_allowed(commanded: FaultySimulator) -> None:
    """A key is revoked and another let in, with some permissions or all."""
    command(commanded, "keys", {"revoke": SIMULATED_API_KEY})
    command(commanded, "keys", {"allow": "sk_new"})
    command(commanded, "keys", {"allow": "sk_less", "permissions": ["models_read"]})

    statuses = [post_usage(commanded, BODY, key=key).status_code for key in (SIMULATED_API_KEY, "sk_new", "sk_less")]

    assert statuses == [401, 200, 401]
    assert get(commanded, MODELS_PATH, key="sk_less").status_code == 200


def test_a_gate_can_be_watched_and_opened(commanded: FaultySimulator) -> None:
    """Another process sees that a request has reached the gate, acts, and lets it go on."""
    gate = {"fault": "Gate", "arguments": {"name": "half-way", "then": {"fault": "EmptyBody"}}}
    command(commanded, "faults", {**gate, "path_prefix": USAGE_PATH})
    before = ask(commanded, "gates")

    with ThreadPoolExecutor() as threads:
        answer = threads.submit(post_usage, commanded, BODY)
        deadline = time.monotonic() + 5
        while not ask(commanded, "gates")["half-way"]["reached"] and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        held = not answer.done()
        command(commanded, "gates", {"release": "half-way"})
        response = answer.result(5)

    assert before == {"half-way": {"reached": False}}
    assert held
    assert response.content == b""


def test_requests_can_be_looked_at(commanded: FaultySimulator) -> None:
    """Ordinary requests are listed without their keys, commands are not, and the list can be emptied."""
    post_usage(commanded, BODY)
    get(commanded, MODELS_PATH + "?page=2")

    (first, second) = ask(commanded, "requests")["requests"]
    command(commanded, "requests", {"clear": True})

    assert (first["method"], first["path"], first["body"]) == ("POST", USAGE_PATH, BODY)
    assert first["headers"]["xi-api-key"] == "***"
    assert second["query"] == "page=2"
    assert ask(commanded, "requests") == {"requests": []}


def test_commands_meet_no_faults(commanded: FaultySimulator) -> None:
    """A fault for every path does not lock the tester out."""
    everything = {"fault": "ConnectionReset", "path_prefix": "/", "times": None}

    statuses = [command(commanded, "faults", document).status_code for document in (everything, {"clear": True})]

    assert statuses == [200, 200]


@pytest.mark.parametrize(
    ("what", "document", "sentence"),
    [
        ("faults", "x", "not a JSON object"),
        ("faults", {"fault": "Meteor"}, "fault: must be one of ErrorStatus, "),
        ("faults", {"fault": "Transform"}, "fault: must be one of"),
        ("faults", {"fault": "Delay", "time": 1}, "unknown: time"),
        ("faults", {"fault": "Delay"}, "Delay: .* missing .* 'seconds'"),
        ("faults", {"fault": "Delay", "arguments": {"seconds": "1"}}, "seconds: '1' is no float"),
        ("faults", {"fault": "Delay", "arguments": {"minutes": 1}}, "Delay has no minutes, only seconds"),
        ("faults", {"fault": "Delay", "arguments": [1]}, "arguments: must be a JSON object"),
        ("faults", {"fault": "EmptyBody", "times": 0}, "times: must be at least 1"),
        ("faults", {"fault": "EmptyBody", "times": True}, "times: True is no int"),
        ("faults", {"fault": "EmptyBody", "after": -1}, "after: must not be negative"),
        ("faults", {"fault": "EmptyBody", "path_prefix": None}, "path_prefix: None is no str"),
        ("faults", {"fault": "Gate", "arguments": {"then": "x"}}, "not a JSON object"),
        ("faults", {"fault": "ErrorStatus", "arguments": {"status": 1, "headers": {"a": 1}}}, "headers: .* is no"),
        ("faults", {"fault": "with_added_columns", "arguments": {"names": "ab"}}, "names: 'ab' is no"),
        ("edits", {"edit": "Restate", "arguments": {"factor": 1.1}}, "factor: 1.1 is no Decimal"),
        ("edits", {"edit": "Restate", "arguments": {"factor": "much"}}, "factor: 'much' is no Decimal"),
        ("edits", {"edit": "Restate", "arguments": {"factor": "-1"}}, "Restate: factor must be"),
        ("edits", {"edit": "Hide", "arguments": {"start": "today"}}, "start: 'today' is no date"),
        ("edits", {"edit": "Hide", "arguments": {"key": "nobody"}}, "no such key: nobody"),
        ("edits", {"undo": {"edit": "Hide"}}, "no such edit"),
        ("keys", {"revoke": "sk_nobody"}, "no such API key"),
        ("keys", {"allow": "sk_new", "permissions": ["everything"]}, "permissions: must be some of"),
        ("keys", {}, "must have allow"),
        ("gates", {"release": "nowhere"}, "release: must be the name"),
        ("requests", {}, "clear"),
    ],
)
def test_commands_that_mean_nothing_are_refused(
    commanded: FaultySimulator, what: str, document: object, sentence: str
) -> None:
    """422 with a sentence that says what is wrong, and nothing done."""
    response = command(commanded, what, document)

    assert response.status_code == 422
    assert re.search(sentence, response.json()["detail"])
    assert len(commanded.faults) == 0


def test_a_list_with_a_mistake_does_nothing(commanded: FaultySimulator) -> None:
    """Either all of a list is added or none of it."""
    command(commanded, "faults", [{"fault": "EmptyBody"}, {"fault": "Meteor"}])
    command(commanded, "edits", [{"edit": "Hide"}, {"edit": "Hide", "arguments": {"key": "nobody"}}])

    assert len(commanded.faults) == 0
    assert len(commanded.current_workspace().edits) == 0


def test_commands_must_be_json(commanded: FaultySimulator) -> None:
    """A form or plain text, which any page in a browser could send, is refused."""
    url = f"{commanded.base_url}/_control/faults"

    response = httpx.post(url, content=b'{"clear": true}', headers={"content-type": "text/plain"}, verify=TLS)

    assert response.status_code == 415


@pytest.mark.parametrize("query", ["", "first=2026-08-01", "first=2026-08-01&last=soon"])
def test_totals_need_two_dates(commanded: FaultySimulator, query: str) -> None:
    """A missing or impossible date is refused."""
    response = httpx.get(f"{commanded.base_url}/_control/totals?{query}", verify=TLS)

    assert response.status_code == 422


def test_json_makes_the_same_as_python() -> None:
    """Faults and edits from JSON equal those made in Python, whatever kind of value their arguments have."""
    error = read_fault({"fault": "ErrorStatus", "arguments": {"status": 503, "detail": ["x"], "headers": {"a": "b"}}})
    gate = read_fault({"fault": "Gate", "arguments": {"stale": True, "then": {"fault": "ConnectionReset"}}}).fault
    new_key = {"slug": "a", "name": "A", "since": "2026-08-01", "account": None, "credits_per_day": 5}

    key = read_edit({"edit": "AddKey", "arguments": new_key})

    assert error.fault == ErrorStatus(503, detail=["x"], headers={"a": "b"})
    assert (error.path_prefix, error.times, error.after) == ("/v1/", 1, 0)
    assert isinstance(gate, Gate)
    assert (gate.stale, gate.then) == (True, ConnectionReset())
    assert key == AddKey("a", "A", START, account=None, credits_per_day=5)
    with pytest.raises(CommandError):
        read_edit([])


def test_a_simulator_in_another_process_can_be_commanded() -> None:
    """Started with --control it misbehaves on command, and its truth equals that of the same edits made here."""
    edit = {"edit": "Restate", "arguments": {"factor": "1.25", "key": "northwind-ivr"}}
    arguments = [
        "--port",
        "0",
        "--today",
        TODAY.isoformat(),
        "--control",
        "--edit",
        '{"edit": "ChangeCurrency", "arguments": {"to": "eur"}}',
    ]
    program = [sys.executable, "-m", "tests.simulation", *arguments]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]

            httpx.post(f"{url}/_control/edits", json=edit, verify=TLS).raise_for_status()
            httpx.post(f"{url}/_control/faults", json={"fault": "EmptyBody"}, verify=TLS).raise_for_status()
            told = httpx.get(f"{url}/_control/totals?first={START}&last={LAST}", verify=TLS).json()
            headers = {"xi-api-key": SIMULATED_API_KEY}
            empty, whole = (httpx.post(url + USAGE_PATH, json=BODY, headers=headers, verify=TLS) for _ in range(2))
        finally:
            process.terminate()

    edits = WorkspaceEdits(read_edit(edit))
    assert Decimal(told["cost"]) == EditedWorkspace(TODAY, edits=edits).totals(START, END).cost
    assert empty.content == b""
    assert "eur" in json.loads(whole.text)["column_units"]

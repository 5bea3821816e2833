"""Faults that act later, and the gate that holds a request until the test lets it go."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date

import httpx
import pytest

from elevenlabs_sync.simulator.routes import MODELS_PATH, USAGE_PATH
from tests.simulation import EditedWorkspace, FaultySimulator, faults
from tests.simulation.calls import get, post_usage, raw_usage_request, usage_body
from tests.simulation.edits import Hide

BODY = usage_body(date(2026, 9, 1), date(2026, 9, 8))

Ask = Callable[[], "Future[httpx.Response]"]


@pytest.fixture
def ask(server: FaultySimulator) -> Iterator[Ask]:
    """Asks for usage in another thread."""
    with ThreadPoolExecutor() as threads:
        yield lambda: threads.submit(post_usage, server, BODY)


def test_a_fault_may_let_requests_pass_first(server: FaultySimulator) -> None:
    """After three matching requests the fault acts, as often as told."""
    server.faults.add(USAGE_PATH, faults.ErrorStatus(500), times=2, after=3)

    get(server, MODELS_PATH)
    statuses = [post_usage(server, BODY).status_code for _ in range(6)]

    assert statuses == [200, 200, 200, 500, 500, 200]
    assert len(server.faults) == 0


def test_requests_that_meet_another_fault_count_as_passed(server: FaultySimulator) -> None:
    """Two faults with positions of their own act at these, whatever the other does."""
    server.faults.add("/", faults.ErrorStatus(500))
    server.faults.add("/", faults.ErrorStatus(503), after=2)

    statuses = [get(server, MODELS_PATH).status_code for _ in range(4)]

    assert statuses == [500, 200, 503, 200]


def test_a_negative_number_of_passes_is_refused(server: FaultySimulator) -> None:
    """Fewer than none is a mistake of the caller."""
    with pytest.raises(ValueError, match="after"):
        server.faults.add("/", faults.ErrorStatus(500), after=-1)


def test_a_gate_holds_a_request(server: FaultySimulator, workspace: EditedWorkspace, ask: Ask) -> None:
    """The test learns that the request is there, acts, and the answer shows what it did."""
    gate = faults.Gate()
    server.faults.add(USAGE_PATH, gate)

    answer = ask()
    reached = gate.reached.wait(5)
    held = not answer.done()
    workspace.edits.add(Hide())
    gate.release()

    assert reached
    assert held
    assert answer.result(5).json()["rows"] == []


def test_a_stale_gate_answers_with_what_was_true(server: FaultySimulator, workspace: EditedWorkspace, ask: Ask) -> None:
    """The answer was made before the test acted and is only sent afterwards."""
    ordinary = post_usage(server, BODY).content
    gate = faults.Gate(stale=True)
    server.faults.add(USAGE_PATH, gate)

    answer = ask()
    assert gate.reached.wait(5)
    workspace.edits.add(Hide())
    gate.release()

    assert answer.result(5).content == ordinary


def test_behind_a_gate_there_may_be_a_fault(server: FaultySimulator, ask: Ask) -> None:
    """Once released, the request meets the fault that was put behind."""
    gate = faults.Gate(then=faults.ConnectionReset())
    server.faults.add(USAGE_PATH, gate)

    answer = ask()
    assert gate.reached.wait(5)
    gate.release()

    assert isinstance(answer.exception(5), httpx.ReadError)


def test_a_released_gate_is_open(server: FaultySimulator) -> None:
    """Requests that come after the release pass at once."""
    gate = faults.Gate()
    gate.release()
    server.faults.add(USAGE_PATH, gate, times=None)

    statuses = [post_usage(server, BODY).status_code for _ in range(2)]

    assert statuses == [200, 200]
    assert gate.reached.is_set()


def test_a_gate_holds_only_those_that_meet_it(server: FaultySimulator, ask: Ask) -> None:
    """While one request waits, others are served."""
    gate = faults.Gate()
    server.faults.add(USAGE_PATH, gate)

    waiting = ask()
    assert gate.reached.wait(5)
    other = post_usage(server, BODY)
    gate.release()

    assert (other.status_code, waiting.result(5).status_code) == (200, 200)


def test_stopping_ends_a_gate(workspace: EditedWorkspace) -> None:
    """A gate that nobody opens does not outlive its server."""
    server = FaultySimulator(workspace)
    server.start()
    gate = faults.Gate()
    server.faults.add(USAGE_PATH, gate)
    with raw_usage_request(server, BODY):
        assert gate.reached.wait(5)

        server.stop()

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("simulator")]

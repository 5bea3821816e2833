"""The server that tests need: it remembers what it was asked, misbehaves, and takes commands from other processes."""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal

from elevenlabs_sync.simulator import jsontext
from elevenlabs_sync.simulator.answers import Answer
from elevenlabs_sync.simulator.exchange import Exchange
from elevenlabs_sync.simulator.request import Request
from elevenlabs_sync.simulator.routes import BILLED_BY_COST, BILLED_IN_CREDITS
from elevenlabs_sync.simulator.server import SimulatorServer
from tests.simulation.control import CONTROL_PATH, Control
from tests.simulation.faults import FaultQueue
from tests.simulation.raw import RawExchange
from tests.simulation.recording import Recording
from tests.simulation.workspace import EditedWorkspace


class FaultySimulator(SimulatorServer):
    """A server whose requests meet the `faults` that a test adds, and are in `requests` afterwards.

    `decimal_strings` sends the usage tables' numbers as strings. `wrong_billing` is what a usage endpoint says to a
    workspace whose usage only the other one knows, None for the ordinary 400. Both may be changed while it runs. With
    `control` other processes may command it, see `control`.
    """

    def __init__(
        self,
        workspace: EditedWorkspace | Callable[[], EditedWorkspace],
        *,
        port: int = 0,
        keys: Mapping[str, Collection[str]] | None = None,
        decimal_strings: bool = False,
        wrong_billing: Answer | None = None,
        control: bool = False,
    ) -> None:
        super().__init__(workspace, port=port, keys=keys)
        self.decimal_strings = decimal_strings
        self.wrong_billing = wrong_billing
        self.faults = FaultQueue()
        self.recording = Recording()
        self.control = Control(self) if control else None

    @property
    def requests(self) -> list[Request]:
        """The last requests, oldest first (a copy, at most `REMEMBERED_REQUESTS`), keys as "***"."""
        return self.recording.requests()

    def current_workspace(self) -> EditedWorkspace:
        workspace = super().current_workspace()
        assert isinstance(workspace, EditedWorkspace)
        return workspace

    def respond(self, request: Request, exchange: Exchange) -> None:
        if self.control is not None and request.path.startswith(CONTROL_PATH):
            exchange.send_answer(self.control.answer(request))
            return
        self.recording.add(request)
        fault = self.faults.take(request.path)
        if fault is None:
            super().respond(request, exchange)
        else:
            fault.respond(RawExchange(exchange), lambda: self.answer(request))

    def answer(self, request: Request) -> Answer:
        answer = super().answer(request)
        if self.wrong_billing is not None and answer in (BILLED_BY_COST, BILLED_IN_CREDITS):
            return self.wrong_billing
        if self.decimal_strings and isinstance(answer.document, dict) and "rows" in answer.document:
            rows = [[_as_text(cell) for cell in row] for row in answer.document["rows"]]
            return Answer(answer.status, {**answer.document, "rows": rows}, answer.headers)
        return answer


def _as_text(cell: object) -> object:
    return jsontext.plain(cell) if isinstance(cell, Decimal) else cell

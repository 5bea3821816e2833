"""Commanding a running simulator over HTTP, for tests whose simulator is another process.

Served only by a server made with `control=True` (`python -m tests.simulation --control`), on loopback like everything
else. All paths begin with `/_control/`; these requests are neither recorded nor do they meet faults. Bodies and answers
are JSON; POST needs `content-type: application/json`, so that a page in a browser can't just send it. A command that is
not understood is answered with 422 and `{"detail": "<sentence>"}`.

    POST faults     one fault, or a list of them, as `commands` describes; or {"clear": true}
    POST edits      one edit, or a list; or {"undo": <the edit as it was sent>}; or {"clear": true}
    POST keys       {"allow": "<API key>", "permissions": [...]} (all when left out); or {"revoke": "<API key>"}
    POST gates      {"release": "<name>"}: opens the fault Gate that was added with this name
    GET  gates      {"<name>": {"reached": true|false}}
    GET  requests   {"requests": [{"method", "path", "query", "headers", "body"}]}, oldest first, keys as "***"
    POST requests   {"clear": true}
    GET  totals     ?first=DATE&last=DATE (both included): the truth, edits and all, exact numbers as text, null unknown
"""

from collections.abc import Callable, Collection
from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol
from urllib.parse import parse_qs

from elevenlabs_sync.simulator import access, jsontext
from elevenlabs_sync.simulator.answers import Answer, plain_error
from elevenlabs_sync.simulator.request import Request
from tests.simulation.commands import CommandError, read_edit, read_fault
from tests.simulation.faults import FaultQueue, Gate
from tests.simulation.recording import Recording
from tests.simulation.workspace import EditedWorkspace

CONTROL_PATH = "/_control/"
DONE = Answer(200, {"done": True})


class Controlled(Protocol):
    """What of a server can be commanded."""

    faults: FaultQueue
    keys: dict[str, Collection[str]]
    recording: Recording

    def current_workspace(self) -> EditedWorkspace:
        """The workspace whose edits and totals are meant."""


class Control:
    """The commands for one server."""

    def __init__(self, server: Controlled) -> None:
        self._server = server
        self._gates: dict[str, Gate] = {}
        self._commands: dict[tuple[str, str], Callable[[object, str], Answer]] = {
            ("POST", "faults"): self._add_faults,
            ("POST", "edits"): self._add_edits,
            ("POST", "keys"): self._change_keys,
            ("POST", "gates"): self._release,
            ("GET", "gates"): self._list_gates,
            ("GET", "requests"): self._list_requests,
            ("POST", "requests"): self._forget_requests,
            ("GET", "totals"): self._totals,
        }

    def answer(self, request: Request) -> Answer:
        """Does what a request to `/_control/…` asks for."""
        command = self._commands.get((request.method, request.path.removeprefix(CONTROL_PATH)))
        if command is None:
            return plain_error(404, "Not Found")
        if request.method == "POST" and request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return plain_error(415, "content-type must be application/json")
        try:
            return command(request.body, request.query)
        except ValueError as error:
            return plain_error(422, str(error))

    def _add_faults(self, body: object, _query: str) -> Answer:
        if _asks_to_clear(body):
            self._server.faults.clear()
            return DONE
        commands = [read_fault(document) for document in _listed(body)]
        for command in commands:
            if isinstance(command.fault, Gate):
                self._gates[command.fault.name] = command.fault
            command.add_to(self._server.faults)
        return DONE

    def _add_edits(self, body: object, _query: str) -> Answer:
        edits = self._server.current_workspace().edits
        if _asks_to_clear(body):
            edits.clear()
        elif isinstance(body, dict) and body.keys() == {"undo"}:
            edits.remove(read_edit(body["undo"]))
        else:
            edits.add(*map(read_edit, _listed(body)))
        return DONE

    def _change_keys(self, body: object, _query: str) -> Answer:
        match body:
            case {"revoke": str(key)}:
                if self._server.keys.pop(key, None) is None:
                    raise CommandError("no such API key")
            case {"allow": str(key), **rest}:
                permissions = rest.get("permissions", sorted(access.ALL_PERMISSIONS))
                if not isinstance(permissions, list) or not access.ALL_PERMISSIONS.issuperset(map(str, permissions)):
                    raise CommandError(f"permissions: must be some of {', '.join(sorted(access.ALL_PERMISSIONS))}")
                self._server.keys[key] = frozenset(map(str, permissions))
            case _:
                raise CommandError("must have allow (and permissions), or revoke")
        return DONE

    def _release(self, body: object, _query: str) -> Answer:
        match body:
            case {"release": str(name)} if name in self._gates:
                self._gates[name].release()
                return DONE
        raise CommandError("release: must be the name of a gate that was added")

    def _list_gates(self, _body: object, _query: str) -> Answer:
        return Answer(200, {name: {"reached": gate.reached.is_set()} for name, gate in self._gates.items()})

    def _list_requests(self, _body: object, _query: str) -> Answer:
        return Answer(200, {"requests": [asdict(request) for request in self._server.recording.requests()]})

    def _forget_requests(self, body: object, _query: str) -> Answer:
        if not _asks_to_clear(body):
            raise CommandError('must be {"clear": true}')
        self._server.recording.clear()
        return DONE

    def _totals(self, _body: object, query: str) -> Answer:
        fields = parse_qs(query)
        first, last = (date.fromisoformat(fields.get(name, [""])[0]) for name in ("first", "last"))
        totals = asdict(self._server.current_workspace().totals(first, last + timedelta(days=1)))
        return Answer(
            200,
            {
                name: jsontext.plain(number) if isinstance(number, Decimal) else number
                for name, number in totals.items()
            },
        )


def _asks_to_clear(body: object) -> bool:
    return isinstance(body, dict) and body == {"clear": True}


def _listed(body: object) -> list[object]:
    return body if isinstance(body, list) else [body]

"""What the MCP server refuses before any tool is asked: streams, guesses of tokens, arguments that there are not."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.mcp.rest import Rest
from api.mcp.server import guarded
from api.mcp.tools import Tools

pytestmark = pytest.mark.any_engine


TOOLS = Tools(lambda _context: Rest("")).all()


async def knows_no_token(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that lets nobody in."""
    await Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})(scope, receive, send)


def asked(*, method: str = "POST", address: str = "192.0.2.1") -> tuple[int, dict[str, str]]:
    """Status and headers of the answer at /mcp."""
    sent: list[Any] = []

    async def ask() -> None:
        scope = {"type": "http", "method": method, "path": "/mcp", "headers": [], "client": (address, 1)}

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await guarded(knows_no_token)(scope, receive, send)

    anyio.run(ask)
    (start,) = (message for message in sent if message["type"] == "http.response.start")
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_only_questions_are_answered(method: str) -> None:
    """Without sessions a stream would hold a connection for ever and tell nothing."""
    status, headers = asked(method=method)

    assert (status, headers["allow"]) == (405, "POST")


def test_guesses_of_tokens_are_limited_for_each_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the REST API, and nobody else is held up."""
    monkeypatch.setattr("api.rates.LIMIT", 2)

    answers = [asked() for _ in range(3)]

    assert [status for status, _headers in answers] == [401, 401, 429]
    assert 1 <= int(answers[2][1]["retry-after"]) <= 60
    assert asked(address="192.0.2.2")[0] == 401


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_argument_that_there_is_not_is_refused(tool: Any) -> None:
    """Ignored, a filter that is misspelt would give the sum of everything."""
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        tool.fn_metadata.validate_arguments({"colour": "red"})

    assert tool.parameters["additionalProperties"] is False

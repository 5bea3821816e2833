"""The server: over HTTP, where each request brings a token, or over a pipe, with one token for its whole life.

HTTP is stateless: no session is kept, so that any number of processes may serve, and a restart ends nothing.
"""

from __future__ import annotations

from functools import partial

import anyio.to_thread
from django.conf import settings
from django.db import close_old_connections
from django.http import HttpRequest
from django.utils import timezone
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accounts.addresses import client_address, network_of
from api.mcp.rest import Rest
from api.mcp.tools import INSTRUCTIONS, Tools
from api.problems import Problem
from api.rates import count_request
from api.services import find_token

PATH = "/mcp"
NAME = "Administrate"


class ApiTokens:
    """Lets in who has a valid API token. What it opens is asked anew with every question."""

    async def verify_token(self, token: str) -> AccessToken | None:
        return await anyio.to_thread.run_sync(partial(_access, token))


def _access(text: str) -> AccessToken | None:
    close_old_connections()
    try:
        found = find_token(text=text, now=timezone.now())
    finally:
        close_old_connections()
    if found is None:
        return None
    return AccessToken(
        token=text, client_id=found.public_id, scopes=list(found.scopes), expires_at=int(found.expires_at.timestamp())
    )


def http_app(*, url: str) -> ASGIApp:
    """The ASGI application that answers at PATH; ``url`` is where it is reached from outside."""
    server = MCPServer(
        NAME,
        instructions=INSTRUCTIONS,
        tools=Tools(_rest_of_request).all(),
        token_verifier=ApiTokens(),
        auth=AuthSettings(
            issuer_url=AnyHttpUrl(url), resource_server_url=AnyHttpUrl(url), validate_token_resource=False
        ),
    )
    hosts = [host.removeprefix(".") for host in settings.ALLOWED_HOSTS]
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection="*" not in hosts,
            allowed_hosts=[name for host in hosts for name in (host, f"{host}:*")],
            allowed_origins=[],
        ),
    )
    return guarded(app)


def guarded(app: ASGIApp) -> ASGIApp:
    """``app`` with nothing but questions, and with guesses of tokens limited for each address, as the REST API has it.

    Without sessions a GET would be a stream on which nothing ever comes, held open for as long as its client likes.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
        elif scope["path"] == PATH and scope["method"] != "POST":
            await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
        else:
            await app(scope, receive, _counting(scope, receive, send))

    return answer


def _counting(scope: Scope, receive: Receive, send: Send) -> Send:
    """Sends 429 in place of what would be 401, once there have been too many of an address."""
    is_replaced = False

    async def counting(message: Message) -> None:
        nonlocal is_replaced
        if message["type"] == "http.response.start" and message["status"] == 401:
            refusal = await anyio.to_thread.run_sync(partial(_counted_refusal, scope))
            if refusal is not None:
                is_replaced = True
                await refusal(scope, receive, send)
        if not is_replaced:
            await send(message)

    return counting


def _counted_refusal(scope: Scope) -> Response | None:
    request = HttpRequest()
    peer, forwarded = _origin_of(Request(scope))
    request.META = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}
    try:
        count_request(f"address:{network_of(client_address(request))}").check()
    except Problem as problem:
        return Response(status_code=problem.status, headers=dict(problem.headers))
    return None


def stdio_server(*, token: str) -> MCPServer:
    """Answers on standard input and output, with what ``token`` opens."""
    return MCPServer(NAME, instructions=INSTRUCTIONS, tools=Tools(lambda _context: Rest(token)).all())


def _rest_of_request(context: Context) -> Rest:
    access = get_access_token()
    assert access is not None  # noqa: S101 - the SDK lets nobody in without one
    request = context.request_context.request
    peer, forwarded = _origin_of(request) if request is not None else ("", "")
    return Rest(access.token, address=peer, forwarded=forwarded)


def _origin_of(request: Request) -> tuple[str, str]:
    """The peer's address, and whom it says that it speaks for."""
    return request.client.host if request.client else "", request.headers.get("x-forwarded-for", "")

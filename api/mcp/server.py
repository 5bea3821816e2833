"""The server: over HTTP, where each request brings a token, or over a pipe, with one token for its whole life.

HTTP is stateless: no session is kept, so that any number of processes may serve, and a restart ends nothing.
"""

from __future__ import annotations

from functools import partial

import anyio.to_thread
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from starlette.applications import Starlette

from api.mcp.rest import Rest
from api.mcp.tools import INSTRUCTIONS, Tools
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


def http_app(*, url: str) -> Starlette:
    """The ASGI application that answers at PATH; ``url`` is where it is reached from outside."""
    server = MCPServer(
        NAME,
        instructions=INSTRUCTIONS,
        token_verifier=ApiTokens(),
        auth=AuthSettings(
            issuer_url=AnyHttpUrl(url), resource_server_url=AnyHttpUrl(url), validate_token_resource=False
        ),
    )
    Tools(_rest_of_request).register(server)
    hosts = [host.removeprefix(".") for host in settings.ALLOWED_HOSTS]
    return server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection="*" not in hosts,
            allowed_hosts=[name for host in hosts for name in (host, f"{host}:*")],
            allowed_origins=[],
        ),
    )


def stdio_server(*, token: str) -> MCPServer:
    """Answers on standard input and output, with what ``token`` opens."""
    server = MCPServer(NAME, instructions=INSTRUCTIONS)
    Tools(lambda _context: Rest(token)).register(server)
    return server


def _rest_of_request(context: Context) -> Rest:
    access = get_access_token()
    assert access is not None  # noqa: S101 - the SDK lets nobody in without one
    request = context.request_context.request
    peer = request.client.host if request is not None and request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "") if request is not None else ""
    return Rest(access.token, address=peer, forwarded=forwarded)

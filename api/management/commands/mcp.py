"""manage.py mcp"""

import os
from typing import Any

import anyio
import uvicorn
from django.core.management.base import CommandParser
from django.utils import timezone

from api.mcp.server import PATH, http_app, stdio_server
from api.services import find_token
from core.commands import ProductCommand, bad_input

TOKEN_VARIABLE = "ADMINISTRATE_TOKEN"  # noqa: S105 - a name


class Command(ProductCommand):
    help = (
        "Answer the questions of assistants over the Model Context Protocol: over HTTP, where each has an API token, "
        f"or with --stdio to the one that started it, with the token in {TOKEN_VARIABLE}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stdio", action="store_true", help="use standard input and output instead of HTTP")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8001, help="port to listen on (default: 8001)")
        parser.add_argument("--url", metavar="URL", help=f"where {PATH} is reached from outside, behind a proxy")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["stdio"]:
            self._serve_pipe()
        else:
            self._serve_http(options["host"], options["port"], options["url"])

    def _serve_pipe(self) -> None:
        token = os.environ.get(TOKEN_VARIABLE, "")
        if find_token(text=token, now=timezone.now()) is None:
            raise bad_input(f"{TOKEN_VARIABLE} holds no valid API token: manage.py create_api_token makes one.")
        anyio.run(stdio_server(token=token).run_stdio_async)

    def _serve_http(self, host: str, port: int, url: str | None) -> None:
        if not 0 < port < 65536:
            raise bad_input("A port is a number from 1 to 65535.")
        if url is not None and not url.startswith(("https://", "http://")):
            raise bad_input("--url is a whole address: https://…")
        app = http_app(url=url or f"http://{host}:{port}{PATH}")
        self.stderr.write(f"Answering assistants at http://{host}:{port}{PATH}; Ctrl-C stops it.")
        # X-Forwarded-For is read by the REST API, which knows TRUSTED_PROXIES.
        uvicorn.run(app, host=host, port=port, proxy_headers=False, log_config=None, access_log=False)

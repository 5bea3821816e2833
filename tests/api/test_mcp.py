"""The MCP server for real: official client, over HTTP and over a pipe, against a workspace that was synced."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.installation import Installation
from tests.services.product import ROOT, ProductionProduct
from tests.services.truth import exported_totals, today
from tests.simulation import EditedWorkspace, FaultySimulator

pytestmark = pytest.mark.services

NAMES = {
    "list_companies",
    "get_spend",
    "compare_periods",
    "get_statement",
    "list_unassigned",
    "list_budgets",
    "list_alerts",
    "get_reconciliation",
    "list_providers",
    "explain_attribution",
}


class Assistant:
    """A synced installation, its MCP server and a token."""

    def __init__(self, product: ProductionProduct, *, url: str, token: str) -> None:
        self.product, self.url, self.token = product, url, token

    def over_http(self, ask: Callable[[Client], Awaitable[Any]]) -> Any:
        async def asked() -> Any:
            headers = {"Authorization": f"Bearer {self.token}"}
            async with (
                httpx2.AsyncClient(headers=headers, trust_env=False) as http,
                Client(streamable_http_client(self.url, http_client=http)) as client,
            ):
                return await ask(client)

        return anyio.run(asked)

    def over_a_pipe(self, ask: Callable[[Client], Awaitable[Any]]) -> Any:
        environment = self.product.environment | {"ADMINISTRATE_TOKEN": self.token}
        server = StdioServerParameters(
            command=sys.executable, args=["manage.py", "mcp", "--stdio"], env=environment, cwd=ROOT
        )

        async def asked() -> Any:
            async with Client(server) as client:
                return await ask(client)

        return anyio.run(asked)


@pytest.fixture
def assistant(production: ProductionProduct) -> Iterator[Assistant]:
    production.environment["SYNC_BACKFILL_DAYS"] = "40"
    with FaultySimulator(EditedWorkspace(today())) as simulator:
        installation = Installation(production, simulator)
        installation.connect()
        installation.sync()
        made = production.manage("create_api_token", "--name", "Assistant", "--user", "admin", *SCOPES)
        yield Assistant(production, url=production.start_mcp(), token=made.stdout.split()[-1])


SCOPES = ("--scope", "costs:read", "--scope", "providers:read", "--scope", "statements:read")


def test_assistant_finds_what_the_export_holds(assistant: Assistant) -> None:
    """Tools, none of which changes anything, and sums to the last digit – over HTTP as over a pipe."""
    days = {"first_day": str(today() - timedelta(days=30)), "last_day": str(today())}

    async def ask(client: Client) -> tuple[Any, Any]:
        return (await client.list_tools()).tools, (await client.call_tool("get_spend", days)).structured_content

    tools, spend = assistant.over_http(ask)
    tools_of_pipe, spend_of_pipe = assistant.over_a_pipe(ask)

    assert {tool.name for tool in tools} == NAMES
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
    assert (tools_of_pipe, spend_of_pipe) == (tools, spend)
    exported = assistant.product.manage("export_usage", "--from", days["first_day"], "--to", days["last_day"]).stdout
    (total,) = (total for total in spend["totals"] if total["currency"])
    assert Decimal(total["cost"]) == exported_totals(exported).cost


def test_nobody_gets_in_without_a_token(assistant: Assistant) -> None:
    """Nor under a name that the site does not have."""
    question = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accepted = {"Accept": "application/json, text/event-stream"}

    with httpx.Client(headers=accepted, trust_env=False) as visitor:
        none = visitor.post(assistant.url, json=question)
        wrong = visitor.post(assistant.url, json=question, headers={"Authorization": "Bearer adm_wrong"})
        token = {"Authorization": f"Bearer {assistant.token}"}
        elsewhere = visitor.post(assistant.url, json=question, headers=token | {"Host": "evil.example"})

    assert (none.status_code, wrong.status_code, elsewhere.status_code) == (401, 401, 421)
    assert none.headers["WWW-Authenticate"].startswith("Bearer ")

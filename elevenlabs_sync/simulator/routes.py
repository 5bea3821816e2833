"""Which path is which endpoint of the API: method, permission, reading the request, the answer for this workspace.

The documents come from `tabular`, `stats` and `account`. Whether an endpoint answers a workspace at all depends on its
billing: each usage endpoint refuses what only the other one knows. Nothing here touches a socket.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from elevenlabs_sync.simulator import access, account, agents, queries, stats, tabular
from elevenlabs_sync.simulator.answers import Answer, invalid, plain_error, refusal
from elevenlabs_sync.simulator.billing import Moved
from elevenlabs_sync.simulator.request import UNREADABLE, Request
from elevenlabs_sync.simulator.workspace import SimulatedWorkspace

USAGE_PATH = "/v1/workspace/analytics/query/usage-by-product-over-time"
COST_PATH = "/v1/workspace/analytics/usage"
CHARACTER_STATS_PATH = "/v1/usage/character-stats"
SERVICE_ACCOUNTS_PATH = "/v1/service-accounts"
SUBSCRIPTION_PATH = "/v1/user/subscription"
MODELS_PATH = "/v1/models"
AGENTS_PATH = "/v1/convai/agents"
CONVERSATIONS_PATH = "/v1/convai/conversations"

BILLED_BY_COST = refusal(
    400,
    "workspace_billed_by_cost",
    f"This workspace is billed by cost for a part of this range. Use {COST_PATH} instead.",
)
BILLED_IN_CREDITS = refusal(
    400, "workspace_billed_in_credits", f"This workspace is billed in credits. Use {USAGE_PATH} instead."
)


def answer(request: Request, keys: Mapping[str, Collection[str]], workspace: SimulatedWorkspace) -> Answer:
    """What the API says; `keys` are the API keys that exist, each with its permissions."""
    route = _route(request.path)
    if route is None:
        return plain_error(404, "Not Found")
    if request.method != route.method:
        return plain_error(405, "Method Not Allowed")
    refused = access.refusal_for(request.key, route.permission, keys)
    if refused is not None:
        return refused
    if request.body is UNREADABLE and request.method == "POST":
        return invalid([{"loc": ["body", 0], "msg": "JSON decode error", "type": "json_invalid"}])
    try:
        return route.reply(workspace, request)
    except queries.InvalidQueryError as error:
        return invalid(error.problems)
    except queries.CombinationError as error:
        return refusal(400, "invalid_query", str(error))


@dataclass(frozen=True)
class _Route:
    """`permission` None lets any good key in."""

    method: str
    permission: str | None
    reply: Callable[[SimulatedWorkspace, Request], Answer]


def _route(path: str) -> _Route | None:
    if path.startswith(f"{SERVICE_ACCOUNTS_PATH}/") and path.endswith("/api-keys"):
        account_id = unquote(path.removeprefix(f"{SERVICE_ACCOUNTS_PATH}/").removesuffix("/api-keys"))
        return _Route("GET", access.WORKSPACE, lambda workspace, _request: _api_keys(workspace, account_id))
    return _ROUTES.get(path)


def _usage(workspace: SimulatedWorkspace, request: Request) -> Answer:
    query = queries.read_usage_query(request.body)
    billing = workspace.billing
    end_reaches = isinstance(billing, Moved) and billing.end_reaches
    if query.reaches(billing.cost_from, end_reaches=end_reaches):
        return BILLED_BY_COST
    return Answer(200, tabular.usage_over_time(workspace, query))


def _cost(workspace: SimulatedWorkspace, request: Request) -> Answer:
    query = queries.read_cost_query(request.body)
    if workspace.billing.cost_from > workspace.today:
        return BILLED_IN_CREDITS
    return Answer(200, tabular.cost_over_time(workspace, query))


def _api_keys(workspace: SimulatedWorkspace, account_id: str) -> Answer:
    document = account.api_keys(workspace, account_id)
    return plain_error(404, "Not Found") if document is None else Answer(200, document)


_ROUTES = {
    USAGE_PATH: _Route("POST", access.ANALYTICS, _usage),
    COST_PATH: _Route("POST", access.ANALYTICS, _cost),
    CHARACTER_STATS_PATH: _Route(
        "GET", None, lambda workspace, request: Answer(200, stats.character_stats(workspace, request.query))
    ),
    SERVICE_ACCOUNTS_PATH: _Route(
        "GET", access.WORKSPACE, lambda workspace, _request: Answer(200, account.service_accounts(workspace))
    ),
    SUBSCRIPTION_PATH: _Route(
        "GET", access.USER, lambda workspace, _request: Answer(200, account.subscription(workspace))
    ),
    AGENTS_PATH: _Route("GET", access.AGENTS, lambda workspace, request: agents.listing(workspace, request.query)),
    CONVERSATIONS_PATH: _Route(
        "GET", access.AGENTS, lambda workspace, request: agents.conversations(workspace, request.query)
    ),
    MODELS_PATH: _Route("GET", access.MODELS, lambda _workspace, _request: Answer(200, account.models())),
}

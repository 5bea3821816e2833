"""Which path is which endpoint of the API: method, permission, reading the request, the answer for this workspace.

The documents come from `tabular`, `stats` and `account`. Whether an endpoint answers a workspace at all depends on its
billing: each usage endpoint refuses what only the other one knows. Nothing here touches a socket.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from elevenlabs_sync.simulator import access, account, queries, stats, tabular
from elevenlabs_sync.simulator.answers import Answer, invalid, plain_error, refusal
from elevenlabs_sync.simulator.billing import Moved
from elevenlabs_sync.simulator.workspace import SimulatedWorkspace

USAGE_PATH = "/v1/workspace/analytics/query/usage-by-product-over-time"
COST_PATH = "/v1/workspace/analytics/usage"
CHARACTER_STATS_PATH = "/v1/usage/character-stats"
SERVICE_ACCOUNTS_PATH = "/v1/service-accounts"
SUBSCRIPTION_PATH = "/v1/user/subscription"
MODELS_PATH = "/v1/models"

UNREADABLE = object()
"""Stands for a request's body that is no JSON."""

BILLED_BY_COST = refusal(
    400,
    "workspace_billed_by_cost",
    f"This workspace is billed by cost for a part of this range. Use {COST_PATH} instead.",
)
BILLED_IN_CREDITS = refusal(
    400, "workspace_billed_in_credits", f"This workspace is billed in credits. Use {USAGE_PATH} instead."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the endpoints see it. `body` is the parsed JSON, None without one, `UNREADABLE` if it is none.

    `wrong_billing` replaces the answers `BILLED_BY_COST` and `BILLED_IN_CREDITS`, whose form in real life is unknown.
    """

    workspace: SimulatedWorkspace
    query: str
    body: object
    decimal_strings: bool = False
    wrong_billing: Answer | None = None


def answer(method: str, path: str, key: str | None, keys: Mapping[str, Collection[str]], asked: Asked) -> Answer:
    """What the API says; `keys` are the API keys that exist, each with its permissions."""
    route = _route(path)
    if route is None:
        return plain_error(404, "Not Found")
    if method != route.method:
        return plain_error(405, "Method Not Allowed")
    refused = access.refusal_for(key, route.permission, keys)
    if refused is not None:
        return refused
    if asked.body is UNREADABLE and method == "POST":
        return invalid([{"loc": ["body", 0], "msg": "JSON decode error", "type": "json_invalid"}])
    try:
        return route.reply(asked)
    except queries.InvalidQueryError as error:
        return invalid(error.problems)
    except queries.CombinationError as error:
        return refusal(400, "invalid_query", str(error))


@dataclass(frozen=True)
class _Route:
    """`permission` None lets any good key in."""

    method: str
    permission: str | None
    reply: Callable[[Asked], Answer]


def _route(path: str) -> _Route | None:
    if path.startswith(f"{SERVICE_ACCOUNTS_PATH}/") and path.endswith("/api-keys"):
        account_id = unquote(path.removeprefix(f"{SERVICE_ACCOUNTS_PATH}/").removesuffix("/api-keys"))
        return _Route("GET", access.WORKSPACE, lambda asked: _api_keys(asked.workspace, account_id))
    return _ROUTES.get(path)


def _usage(asked: Asked) -> Answer:
    query = queries.read_usage_query(asked.body)
    billing = asked.workspace.billing
    end_reaches = isinstance(billing, Moved) and billing.end_reaches
    if query.reaches(billing.cost_from, end_reaches=end_reaches):
        return asked.wrong_billing or BILLED_BY_COST
    return Answer(200, tabular.usage_over_time(asked.workspace, query, decimal_strings=asked.decimal_strings))


def _cost(asked: Asked) -> Answer:
    query = queries.read_cost_query(asked.body)
    if asked.workspace.billing.cost_from > asked.workspace.today:
        return asked.wrong_billing or BILLED_IN_CREDITS
    return Answer(200, tabular.cost_over_time(asked.workspace, query, decimal_strings=asked.decimal_strings))


def _api_keys(workspace: SimulatedWorkspace, account_id: str) -> Answer:
    document = account.api_keys(workspace, account_id)
    return plain_error(404, "Not Found") if document is None else Answer(200, document)


_ROUTES = {
    USAGE_PATH: _Route("POST", access.ANALYTICS, _usage),
    COST_PATH: _Route("POST", access.ANALYTICS, _cost),
    CHARACTER_STATS_PATH: _Route(
        "GET", None, lambda asked: Answer(200, stats.character_stats(asked.workspace, asked.query))
    ),
    SERVICE_ACCOUNTS_PATH: _Route(
        "GET", access.WORKSPACE, lambda asked: Answer(200, account.service_accounts(asked.workspace))
    ),
    SUBSCRIPTION_PATH: _Route("GET", access.USER, lambda asked: Answer(200, account.subscription(asked.workspace))),
    MODELS_PATH: _Route("GET", access.MODELS, lambda _asked: Answer(200, account.models())),
}

"""What the engine reads a provider with, and the facts that it is given.

A provider type opens a Reader for a sync (syncing.provider_types). Whatever a reader finds out it returns as data;
the engine stores it (syncing.storing). Nothing here knows Django, Celery or an app.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from syncing.windows import Window

# Carries out one request to the provider and returns its answer.
Call = Callable[[Callable[[], Any]], Any]

# What a row of usage belongs to; as providers.models.Project.Kind says it.
KEY = "key"
AGENT = "agent"
PERSON = "person"

# A request that divides usage by agent asks about so many.
AGENTS_PER_REQUEST = 100


class UsageRow(NamedTuple):
    """What one API key – or agent, or person – used of one model on one UTC day; unknown is None.

    A tuple: an answer holds very many.
    """

    external_id: str | None  # the key's (agent's, person's) id at the provider; None: used without a key
    key_name: str  # as reported, empty where it was not
    day: date
    model: str  # the reported id, empty where there was none
    credits: Decimal | None
    minutes: Decimal | None
    requests: int | None
    cost: Decimal | None  # in units of the currency
    currency: str  # lower case; empty where the cost is unknown
    kind: str = KEY  # also of usage without a key
    allocated: bool = False  # a share, by conversations, of what was reported for several together

    @property
    def is_of_key(self) -> bool:
        """Of a key, or without one: neither an agent's nor a person's."""
        return self.kind == KEY

    @property
    def is_empty(self) -> bool:
        """A bucket of zeros and unknowns: nothing was used."""
        return not (self.credits or self.minutes or self.requests or self.cost)


@dataclass(frozen=True)
class AgentCalls:
    """What is known of one agent's conversations of one UTC day, as sums; nothing of any single one is kept."""

    calls: int
    seconds: int
    credits: Decimal | None  # None: not told of each
    cost: Decimal | None  # in US dollars, likewise


# By agent id; of days whose conversations were read.
ConversationDays = Mapping[date, Mapping[str, AgentCalls]]


def _nothing_stands(_window: Window) -> list[UsageRow]:
    return []


def _nothing_kept(_window: Window) -> ConversationDays:
    return {}


@dataclass(frozen=True)
class SyncSession:
    """What the engine lends to a reader for one sync.

    Every request that reads usage goes through ``call``, which repeats it where waiting helps and keeps the claim
    alive meanwhile; what the sync can do without goes through ``once``, which does not repeat it. ``clock`` returns the
    moment in UTC. With ``rechecks`` the reader verifies what earlier syncs have learnt (nightly, and when a person
    named a window); an hourly sync relies on it. ``agent_ids`` are the agents that are known, also those that are not
    listed any more; ``standing`` is what is stored of a window's usage, ``conversations`` what
    is kept of its days whose conversations need not be read again.
    """

    call: Call
    clock: Callable[[], datetime]
    rechecks: bool = False
    once: Call = lambda request: request()
    agent_ids: Callable[[], frozenset[str]] = frozenset
    standing: Callable[[Window], list[UsageRow]] = _nothing_stands
    conversations: Callable[[Window], ConversationDays] = _nothing_kept


@dataclass(frozen=True)
class Reading:
    """All usage of some days as it was at the time of the request, and what the answer showed besides.

    ``cost_from`` is the first UTC day known to be billed by cost instead of credits, for a provider that changes from
    the one to the other; it is stored with the usage and handed to the next sync. ``unread_columns`` are parts of the
    answer that were ignored because their meaning is not known. ``tells_agents`` is whether the usage says which agent
    used it (None: not asked, or not known yet); ``remarks`` are sentences for the run.
    """

    window: Window
    rows: list[UsageRow]
    read_at: datetime
    cost_from: date | None = None
    unread_columns: frozenset[str] = frozenset()
    tells_agents: bool | None = None
    remarks: tuple[str, ...] = ()
    conversations: ConversationDays = field(default_factory=dict)  # that were read now


@dataclass(frozen=True)
class ListedAgent:
    """An agent as the provider's own listing describes it."""

    external_id: str
    name: str
    tags: tuple[str, ...]
    is_archived: bool
    last_called_on: date | None = None  # UTC


@dataclass(frozen=True)
class ListedKey:
    """An API key as the provider's own listing describes it."""

    external_id: str
    name: str
    hint: str  # at most its last four characters
    is_disabled: bool
    disabled_reason: str
    expires_at: datetime | None
    credit_limit: int | None  # credits per period; None: no limit, or not reported
    credits_used: int | None  # credits in the running period


class Reader(Protocol):
    """Reads one workspace during one sync, from one thread.

    Every method raises the errors of syncing.errors and nothing else. Of the account each part is optional: the engine
    leaves out what the key is not allowed to read, and the reader returns None for what its provider does not tell.
    """

    @property
    def excerpt(self) -> str:
        """How the latest answer begins, in one printable line in which nothing looks like a key; empty without one."""

    def plan(self) -> dict[str, Any] | None:
        """The workspace's plan in the form that providers.plan describes."""

    def listed_keys(self) -> Sequence[ListedKey] | None:
        """Every API key of the workspace: one that an earlier listing named and this one lacks counts as deleted."""

    def listed_agents(self) -> Sequence[ListedAgent] | None:
        """Every agent of the workspace, each once, as listed_keys(); by as many requests as there are pages of them."""

    def model_names(self) -> Mapping[str, str] | None:
        """What models are called, by the id that usage names."""

    def read(self, window: Window) -> Iterator[Reading]:
        """The window's usage in one or more readings, later days first, which together cover it."""

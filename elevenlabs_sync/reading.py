"""Reading a window of usage from whichever endpoint knows its days.

A workspace is billed in credits, by cost, or first the one and then the other. Where it is billed by cost, the usage
endpoint refuses any range that reaches such a day, with an error whose code is not documented; the cost endpoint may
leave out earlier days without a word. So the usage endpoint is read first, and what it refuses is divided: up to the
last day that it still answers for, and from then on. The day is remembered, so that the next window is one request.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from elevenlabs_sync.account import AccountReader
from elevenlabs_sync.agents import AgentReader
from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.payloads import read_costs, read_usage, unread_columns
from syncing.errors import AnswerTooLargeError, ProviderError
from syncing.reader import ListedAgent, Reading, SyncSession
from syncing.windows import Window


class UsageReader(AccountReader):
    """Reads windows of one workspace. A syncing.reader.Reader.

    ``cost_from`` is the first day known to be billed by cost; it learns, and its readings tell what it has learnt.
    Days in credits are divided by agent; see elevenlabs_sync.agents for ``tells_agents`` and ``agents_first``.
    """

    def __init__(
        self,
        client: ElevenLabsClient,
        *,
        session: SyncSession,
        cost_from: date | None,
        tells_agents: bool | None = None,
        agents_first: bool = False,
        by_conversations: bool = False,
        by_person: bool = False,
    ) -> None:
        super().__init__(client)
        self._agents = AgentReader(
            client,
            session=session,
            tells_agents=tells_agents,
            agents_first=agents_first,
            by_conversations=by_conversations,
            by_person=by_person,
        )
        self._session = session
        self._is_to_recheck = session.rechecks
        self.cost_from = cost_from
        self._in_credits_until = date.min  # the latest day that the usage endpoint has answered for

    def listed_agents(self) -> list[ListedAgent]:
        return self._agents.listed()

    def check_billing(self) -> None:
        """Forget the first day billed by cost where the usage endpoint answers for it: a refusal was misunderstood."""
        if self.cost_from is None:
            return
        try:
            self.usage(Window(self.cost_from, self.cost_from))
        except ProviderError as refusal:
            if not refusal.may_concern_billing:
                raise
        else:
            self.cost_from = None

    def read(self, window: Window) -> Iterator[Reading]:
        """The window's usage in one or more parts, later days first, which together cover it."""
        if self._is_to_recheck:
            self.check_billing()
            self._is_to_recheck = False
        for reading in self._parts(window):
            is_in_credits = self.cost_from is None or reading.window.last < self.cost_from
            divided = self._agents.divided(reading) if is_in_credits else self._agents.allocated(reading)
            yield replace(divided, cost_from=self.cost_from)

    def _parts(self, window: Window) -> Iterator[Reading]:
        if self.cost_from is None or window.last < self.cost_from:
            yield from self._read_unknown(window)
        elif window.first >= self.cost_from:
            yield from self._halving(self.costs, window)
        else:
            yield from self._halving(self.costs, Window(self.cost_from, window.last))
            yield from self._read_unknown(Window(window.first, self.cost_from - timedelta(days=1)))

    def _read_unknown(self, window: Window) -> Iterator[Reading]:
        """A window of which nothing is known to be billed by cost."""
        try:
            yield from self._halving(self.usage, window)
        except ProviderError as refusal:
            # A workspace moves once, and forward: days before one in credits are in credits as well. So nothing of the
            # window has been handed on when it is refused for its billing.
            if not refusal.may_concern_billing or window.last <= self._in_credits_until:
                raise
            try:
                costs = list(self._halving(self.costs, window))
            except ProviderError as other:
                # Neither knows these days: it was not the billing.
                raise (refusal if other.may_concern_billing else other) from None
            days_in_credits = self._days_in_credits(window)
            self.cost_from = window.first + timedelta(days=days_in_credits)
            if not days_in_credits:
                yield from costs
                return
            yield from self._halving(self.costs, Window(self.cost_from, window.last))
            yield from self._halving(self.usage, Window(window.first, self.cost_from - timedelta(days=1)))

    def _days_in_credits(self, window: Window) -> int:
        """For how many days from its first on the usage endpoint answers, of a window that it refuses as a whole."""

        def refuses(offset: int) -> bool:
            last = window.first + timedelta(days=offset)
            if last <= self._in_credits_until:
                return False
            try:
                self.usage(Window(window.first, last))
            except AnswerTooLargeError:
                return False
            except ProviderError as error:
                if not error.may_concern_billing:
                    raise
                return True
            return False

        return bisect_left(range(len(window) - 1), 1, key=refuses)

    def _halving(self, read: Callable[[Window], Reading], window: Window) -> Iterator[Reading]:
        """Read the window, or its halves where the answer is too large for one."""
        try:
            reading = read(window)
        except AnswerTooLargeError:
            if len(window) == 1:
                raise
            for half in window.halves():
                yield from self._halving(read, half)
        else:
            yield reading

    def usage(self, window: Window) -> Reading:
        """The window from the endpoint of workspaces billed in credits: one request, or two around a refusal.

        Whether a range that ends at the midnight of the move reaches it is not documented. Refused, it is asked for
        once more to the last millisecond before.
        """
        read_at = self._session.clock()
        start, end = window.bounds(now=read_at)
        try:
            return self._usage(window, start, end, read_at)
        except ProviderError as refusal:
            if not refusal.may_concern_billing or end != window.whole_days[1]:
                raise
            try:
                return self._usage(window, start, end - timedelta(milliseconds=1), read_at)
            except ProviderError as again:
                raise (refusal if again.may_concern_billing else again) from None

    def _usage(self, window: Window, start: datetime, end: datetime, read_at: datetime) -> Reading:
        document = self._session.call(lambda: self._client.usage_by_product(start=start, end=end))
        rows = read_usage(document, first=window.first, last=window.last)
        self._in_credits_until = max(self._in_credits_until, window.last)
        return Reading(window, rows, read_at, unread_columns=unread_columns(document))

    def costs(self, window: Window) -> Reading:
        """One request to the endpoint of workspaces billed by cost."""
        read_at = self._session.clock()
        start, end = window.whole_days
        document = self._session.call(lambda: self._client.usage_cost(start=start, end=end))
        rows = read_costs(document, first=window.first, last=window.last)
        return Reading(window, rows, read_at, unread_columns=unread_columns(document))

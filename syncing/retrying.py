"""Retrying calls to a provider: after which errors, how often, and how long to wait. No other module retries."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from syncing.errors import ProviderError

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class RetryPolicy:
    """All times in seconds."""

    attempts: int = 5
    first_wait: float = 1
    longest_wait: float = 60
    total_wait: float = 10 * 60  # of one run; once it is used up the next refusal fails the run


class RetryBudget:
    """Calls with repetition for one run, which together wait no longer than the policy's total.

    ``sleep`` waits that many seconds; it may raise to end the run.
    """

    def __init__(self, policy: RetryPolicy, *, sleep: Callable[[float], None]) -> None:
        self._policy = policy
        self._sleep = sleep
        self._waited = 0.0

    def call(self, function: Callable[[], Answer]) -> Answer:
        """Return what ``function`` returns, repeating it after errors that say they are retryable.

        After a wait that was cut to the cap there is only one more attempt: the provider wanted a longer wait.
        """
        was_cut = False
        for attempt in count(1):
            try:
                return function()
            except ProviderError as error:
                is_last = attempt >= self._policy.attempts or self._waited >= self._policy.total_wait
                if not error.retryable or is_last or was_cut:
                    raise
                wanted = self._wanted(error, attempt)
            was_cut = wanted > self._policy.longest_wait
            seconds = min(wanted, self._policy.longest_wait)
            self._waited += seconds
            self._sleep(seconds)
        raise AssertionError  # count() does not end

    def _wanted(self, error: ProviderError, attempt: int) -> float:
        """Seconds to wait: as the provider said, else random, up to a bound that doubles each time within the cap."""
        if error.retry_after is not None:
            return error.retry_after
        longest = min(self._policy.first_wait * 2 ** (attempt - 1), self._policy.longest_wait)
        return random.uniform(0, longest)  # noqa: S311 - so that many don't come back at once; no secret

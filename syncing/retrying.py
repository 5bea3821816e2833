"""The one owner of repeating calls: which failures, how often, how long to wait in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential
from tenacity.stop import stop_base

from syncing.errors import ProviderError, RateLimitedError, UnavailableError

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class RetryPolicy:
    """All times in seconds."""

    attempts: int = 5
    first_wait: float = 1
    longest_wait: float = 60
    total_wait: float = 10 * 60  # of one run; whoever used it up fails at the next refusal


class RetryBudget:
    """Calls with repetition for one run, which together wait no longer than the policy's total.

    ``sleep`` waits that many seconds; it may raise to end the run.
    """

    def __init__(self, policy: RetryPolicy, *, sleep: Callable[[float], None]) -> None:
        self._policy = policy
        self._sleep_through = sleep
        self._waited = 0.0
        self._cutting = self._cut_short = False
        self._jittered = wait_random_exponential(multiplier=policy.first_wait, max=policy.longest_wait)

    def call(self, function: Callable[[], Answer]) -> Answer:
        """Return what ``function`` returns, repeating it after errors that say they are retryable.

        After a wait that was cut to the cap there is one more attempt: whoever asked for more would only refuse again.
        """
        self._cut_short = False
        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, ProviderError) and error.retryable),
            stop=stop_after_attempt(self._policy.attempts) | _NoUseWaiting(self),
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(function)

    @property
    def is_exhausted(self) -> bool:
        """Whether the run has waited long enough, or was last told to wait longer than it may."""
        return self._waited >= self._policy.total_wait or self._cut_short

    def _wait(self, state: RetryCallState) -> float:
        """As long as we were told, up to the cap; otherwise exponential with full jitter."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RateLimitedError | UnavailableError) and error.retry_after is not None:
            self._cutting = error.retry_after > self._policy.longest_wait
            return min(error.retry_after, self._policy.longest_wait)
        self._cutting = False
        return float(self._jittered(state))

    def _sleep(self, seconds: float) -> None:
        self._cut_short = self._cutting  # only now: the stop condition is asked between the wait's choice and the wait
        self._waited += seconds
        self._sleep_through(seconds)


class _NoUseWaiting(stop_base):
    def __init__(self, budget: RetryBudget) -> None:
        self._budget = budget

    def __call__(self, _state: RetryCallState) -> bool:
        return self._budget.is_exhausted

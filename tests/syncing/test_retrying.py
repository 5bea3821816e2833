"""Repeating calls: what, how often, and how long in between. No test waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from syncing.errors import (
    InvalidKeyError,
    MissingPermissionError,
    ProviderError,
    RateLimitedError,
    RefusedError,
    RejectedError,
    UnavailableError,
    UnexpectedResponseError,
)
from syncing.retrying import RetryBudget, RetryPolicy

POLICY = RetryPolicy(attempts=5, first_wait=1, longest_wait=60, total_wait=600)


class Calls:
    """A function that raises each of ``errors`` in turn and then answers."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.made = 0

    def __call__(self) -> str:
        self.made += 1
        if self._errors:
            raise self._errors.pop(0)
        return "answer"


def budget(policy: RetryPolicy = POLICY) -> tuple[RetryBudget, list[float]]:
    waits: list[float] = []
    return RetryBudget(policy, sleep=waits.append), waits


def unavailable(retry_after: float | None = None) -> UnavailableError:
    error = UnavailableError("HTTP 503")
    error.retry_after = retry_after
    return error


def test_answer_is_returned_without_waiting() -> None:
    """A call that works is made once."""
    retries, waits = budget()

    assert retries.call(Calls()) == "answer"
    assert waits == []


@pytest.mark.parametrize("error", [RateLimitedError, unavailable])
def test_passing_failures_are_repeated(error: Callable[[], Exception]) -> None:
    """Limits and outages are waited out."""
    retries, waits = budget()
    calls = Calls(error(), error())

    assert retries.call(calls) == "answer"
    assert (calls.made, len(waits)) == (3, 2)


@pytest.mark.parametrize(
    "error",
    [
        InvalidKeyError(),
        MissingPermissionError("x"),
        RefusedError("x"),
        RejectedError(400, "x"),
        UnexpectedResponseError("x"),
        ProviderError("x"),
        ValueError("ours"),
    ],
    ids=repr,
)
def test_other_failures_are_raised_at_once(error: Exception) -> None:
    """Waiting helps against nothing else."""
    retries, waits = budget()

    with pytest.raises(type(error)):
        retries.call(Calls(error))

    assert waits == []


def test_last_error_is_raised_after_the_attempts() -> None:
    """What is raised is the error itself, not a wrapper."""
    retries, waits = budget()
    calls = Calls(*[unavailable() for _ in range(10)])

    with pytest.raises(UnavailableError):
        retries.call(calls)

    assert (calls.made, len(waits)) == (POLICY.attempts, POLICY.attempts - 1)


def test_waits_grow_exponentially_with_jitter() -> None:
    """The n-th wait lies somewhere up to 2ⁿ seconds, and not always at the same place."""
    seen: list[list[float]] = []
    for _ in range(20):
        retries, waits = budget()
        retries.call(Calls(*[unavailable() for _ in range(4)]))
        seen.append(waits)

    for place, longest in enumerate((1, 2, 4, 8)):
        column = [waits[place] for waits in seen]
        assert all(0 <= wait <= longest for wait in column)
        assert len(set(column)) > 1


@pytest.mark.parametrize("error", [RateLimitedError(7.5), unavailable(7.5)], ids=repr)
def test_told_time_is_waited(error: Exception) -> None:
    """Who says how long is listened to."""
    retries, waits = budget()

    retries.call(Calls(error))

    assert waits == [7.5]


def test_absurd_time_is_cut_to_the_cap_and_tried_once_more() -> None:
    """Whoever asks for a day gets a minute and one more attempt; then the next run's turn comes."""
    retries, waits = budget()
    calls = Calls(*[RateLimitedError(86_400) for _ in range(5)])

    with pytest.raises(RateLimitedError):
        retries.call(calls)

    assert (waits, calls.made) == ([60], 2)


def test_cut_wait_does_not_spoil_the_next_call() -> None:
    """Each call of a run gets its attempts."""
    retries, waits = budget()
    retries.call(Calls(RateLimitedError(86_400)))

    retries.call(Calls(RateLimitedError(1), RateLimitedError(1)))

    assert waits == [60, 1, 1]


def test_run_waits_no_longer_than_its_total() -> None:
    """Once the total is used up the next failure ends the run, whichever call meets it."""
    retries, waits = budget(RetryPolicy(attempts=5, first_wait=1, longest_wait=60, total_wait=100))
    retries.call(Calls(RateLimitedError(60), RateLimitedError(60)))

    with pytest.raises(RateLimitedError):
        retries.call(Calls(RateLimitedError(1)))

    assert waits == [60, 60]


def test_interruption_of_a_wait_passes_through() -> None:
    """Who sleeps may end the run."""

    class StopError(Exception):
        pass

    def sleep(_seconds: float) -> None:
        raise StopError

    with pytest.raises(StopError):
        RetryBudget(POLICY, sleep=sleep).call(Calls(RateLimitedError()))

"""Throttling of attempts at passwords and second factors, such that strangers can't lock a person out.

begin_attempt() runs before anything is hashed, because checking one password costs a second of CPU. Failures of unknown
browsers are counted per name and address (with growing waits), per name, per address, and in total; these counts never
delay a browser that the person has signed in with before, which has a count of its own.

Counts are kept in the cache under digests of the names, since a password may be typed into the name's field.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, replace
from enum import StrEnum

from allauth.core.internal.ratelimit import cache_lock
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.addresses import client_address, network_of
from accounts.audit.summing import count_unrecorded
from accounts.known_browsers import known_browser
from core.audit import audit_event

logger = logging.getLogger(__name__)

MINUTE = 60


class Step(StrEnum):
    """What an attempt is at; each step has its own counts."""

    PASSWORD = "password"  # noqa: S105 - a word, not a secret
    SECOND_FACTOR = "second factor"


@dataclass(frozen=True)
class Rule:
    """At most ``limit`` failures within ``window`` seconds, then a wait: the first of ``waits`` (minutes), the next
    time the second, and so on; the last one repeats.

    Without ``waits`` the next attempt is granted as soon as the oldest failure leaves the window.
    """

    limit: int
    window: int
    waits: tuple[int, ...] = ()


# A browser that the person has signed in with: they may be forgetful, or it stolen.
BROWSER = Rule(limit=5, window=60 * MINUTE, waits=(5, 10, 20, 40, 60))
# An unknown browser: one address and one name.
PAIR = Rule(limit=5, window=60 * MINUTE, waits=(5, 10, 20, 40, 60))
# One name from all addresses: above what a person mistypes at home, at work and on the way.
NAME = Rule(limit=20, window=5 * MINUTE)
# One address with any names: an office, or all visitors where TRUSTED_PROXIES is missing. Without growing waits: many
# people may share the address, and guessing ten names a minute must not lock all of them out.
ADDRESS = Rule(limit=60, window=5 * MINUTE)
# All unknown browsers together, which bounds the CPU time spent on guesses.
TOTAL = Rule(limit=300, window=5 * MINUTE)

SHORTEST_WAIT = 5

# Seconds for which the number of waits is kept, so that the next one is longer.
REMEMBERED = 24 * 60 * MINUTE


@dataclass(frozen=True)
class _State:
    """One count as cached: times of failures, the number of waits so far, and the end and length of the current wait.

    Times are POSIX timestamps in seconds, ``minutes`` the length of the current wait.
    """

    failures: tuple[float, ...] = ()
    waits: int = 0
    until: float = 0.0
    minutes: int = 0


class TooManyAttemptsError(ValidationError):
    """Raised by begin_attempt(); its text is shown beside the field and does not reveal whether the name exists."""

    def __init__(self, minutes: int) -> None:
        super().__init__(f"Too many attempts. Try again in {minutes} minutes.", code="too_many_login_attempts")


@dataclass
class Attempt:
    """A granted attempt at a password or code, which counts as failed until it is reported to have succeeded."""

    request: HttpRequest
    step: Step
    who: str
    user: User | None
    at: float
    taken: list[tuple[str, Rule]] = field(default_factory=list)

    def succeeded(self) -> None:
        """Remove this attempt from all counts, and clear the count of this browser, or of this name and address."""
        (own_key, _rule), *shared = self.taken
        cache.delete(own_key)
        for key, rule in shared:
            _release(key, rule, self.at)

    def failed(self) -> None:
        """Record the failure in the audit log, and without the name in the process's log."""
        _log(self, "failed")
        audit_event("session.sign_in_failed", self.user or User(), actor=self.user, new={"step": self.step.value})


def begin_attempt(request: HttpRequest, *, step: Step, name: str = "", user: User | None = None) -> Attempt:
    """Count and grant one attempt. Raises TooManyAttemptsError where a count is full; then nothing is counted.

    ``user`` is the user called ``name``, or None where there is none.
    """
    who = f"user:{user.pk}" if user else f"name:{unicodedata.normalize('NFKC', name).strip().casefold()}"
    now = timezone.now().timestamp()
    attempt = Attempt(request, step, who, user, now)
    for rule, what in _rules_for(request, who, user):
        key = f"guessing:{_digest(f'{step} {what}', 32)}"
        if minutes := _take(key, rule, now=now):
            for taken, its_rule in attempt.taken:
                _release(taken, its_rule, now)
            _log(attempt, "refused unread")
            count_unrecorded(step=step.value, address=client_address(request))
            raise TooManyAttemptsError(minutes)
        attempt.taken.append((key, rule))
    return attempt


@contextmanager
def guarding(step: Step, request: HttpRequest, user: User) -> Iterator[None]:
    """Throttle the enclosed check of ``user``'s input, which raises ValidationError where it is wrong."""
    attempt = begin_attempt(request, step=step, user=user)
    try:
        yield
    except ValidationError:
        attempt.failed()
        raise
    attempt.succeeded()


def _rules_for(request: HttpRequest, who: str, user: User | None) -> list[tuple[Rule, str]]:
    if user and (browser := known_browser(request, user)):
        return [(BROWSER, f"{who} {browser}")]
    address = network_of(client_address(request))
    return [(PAIR, f"{who} {address}"), (NAME, who), (ADDRESS, address), (TOTAL, "everybody")]


def _take(key: str, rule: Rule, *, now: float) -> int:
    """Count an attempt at ``now`` and return 0; or, where the count is full, return the minutes to wait."""
    with cache_lock(key) as locked:
        state = _State(*cache.get(key, ()))
        if state.until > now:
            return state.minutes
        failures = tuple(moment for moment in state.failures if moment > now - rule.window)
        if locked and len(failures) < rule.limit:
            _keep(key, replace(state, failures=(*failures, now)), rule.window)
            return 0
        if not (locked and rule.waits):
            return SHORTEST_WAIT
        minutes = rule.waits[min(state.waits, len(rule.waits) - 1)]
        _keep(key, _State((), state.waits + 1, now + minutes * MINUTE, minutes), rule.window)
        return minutes


def _release(key: str, rule: Rule, moment: float) -> None:
    """Remove an attempt from a count, and an empty count from the cache: refused attempts could fill it otherwise."""
    with cache_lock(key) as locked:
        state = _State(*cache.get(key, ()))
        left = replace(state, failures=tuple(failure for failure in state.failures if failure != moment))
        if locked and left == _State():
            cache.delete(key)
        elif locked:
            _keep(key, left, rule.window)


def _keep(key: str, state: _State, seconds: int) -> None:
    cache.set(key, astuple(state), REMEMBERED if state.waits else seconds)


def _digest(text: str, length: int) -> str:
    return salted_hmac("accounts.throttle", text, algorithm="sha256").hexdigest()[:length]


def _log(attempt: Attempt, what: str) -> None:
    """One line for each attempt. The digest tells attempts at one name apart from others without showing it."""
    name, address = _digest(attempt.who, 16), client_address(attempt.request)
    logger.warning(
        "Sign-in %s (%s): name %s from %s",
        what,
        attempt.step,
        name,
        address,
        extra={"step": attempt.step.value, "name_digest": name, "address": address},
    )

"""Slowing down whoever guesses passwords and second factors, without letting strangers keep anybody out.

Asked before anything is hashed: one look at a password costs a second of CPU. What counts against a stranger is the
name with the address (waits that grow), the name from all addresses, the address, and everybody together; each makes
strangers wait, never a browser that the person has signed in with before. That one has a count of its own.

The counts lie in the cache, under digests: what is typed as a name may be a password in the wrong box.
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
    """What is guessed; counted apart."""

    PASSWORD = "password"  # noqa: S105 - a word, not a secret
    SECOND_FACTOR = "second factor"


@dataclass(frozen=True)
class Rule:
    """At most ``limit`` failures within ``window`` seconds; then ``waits`` minutes, each time the next of them.

    Without waits the oldest failure makes room for the next attempt as soon as it leaves the window.
    """

    limit: int
    window: int
    waits: tuple[int, ...] = ()


# Known to be the person's: forgetful, or in other hands.
BROWSER = Rule(limit=5, window=60 * MINUTE, waits=(5, 10, 20, 40, 60))
# One stranger and one name.
PAIR = Rule(limit=5, window=60 * MINUTE, waits=(5, 10, 20, 40, 60))
# One name, from anywhere: more than a person's own mistakes at home, at work and on the way.
NAME = Rule(limit=20, window=5 * MINUTE)
# One address, any names: an office, or everybody where TRUSTED_PROXIES is missing. No waits beyond the window: many
# innocent people may share it, and whoever guesses ten names a minute keeps none of them out.
ADDRESS = Rule(limit=60, window=5 * MINUTE)
# All strangers together, so that guesses can't take all of the machine's time.
EVERYBODY = Rule(limit=300, window=5 * MINUTE)

SHORTEST_WAIT = 5

# Seconds for which waits are remembered, so that the next one is longer.
REMEMBERED = 24 * 60 * MINUTE


@dataclass(frozen=True)
class _State:
    """What the cache keeps of one count: moments of failures, how often it came to a wait, and the present wait."""

    failures: tuple[float, ...] = ()
    waits: int = 0
    until: float = 0.0
    minutes: int = 0


class TooManyAttemptsError(ValidationError):
    """Shown where the password or the code was typed; the same whether the name exists or not."""

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
        """Takes this attempt back everywhere, and forgets the mistakes that were made before it on the same way."""
        (own_way, _rule), *shared = self.taken
        cache.delete(own_way)
        for key, rule in shared:
            _release(key, rule, self.at)

    def failed(self) -> None:
        """Recorded in the audit log, and in the log without the name."""
        _log(self, "failed")
        audit_event("session.sign_in_failed", self.user or User(), actor=self.user, new={"step": self.step.value})


def begin_attempt(request: HttpRequest, *, step: Step, name: str = "", user: User | None = None) -> Attempt:
    """Grant one more look at what is guessed; raises TooManyAttemptsError.

    ``user`` is whom ``name`` means, None where it means no user.
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
    """Around a look at what ``user`` gives, which raises ValidationError where it is wrong."""
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
    return [(PAIR, f"{who} {address}"), (NAME, who), (ADDRESS, address), (EVERYBODY, "everybody")]


def _take(key: str, rule: Rule, *, now: float) -> int:
    """Count an attempt at ``now``, or say for how many minutes there is to be none (0: it is counted)."""
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
    """Nothing stays of an attempt that was not made: else whoever is refused could fill the cache."""
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
    """One line for each, however many: by the digest a name is recognised again, and never read."""
    name, address = _digest(attempt.who, 16), client_address(attempt.request)
    logger.warning(
        "Sign-in %s (%s): name %s from %s",
        what,
        attempt.step,
        name,
        address,
        extra={"step": attempt.step.value, "name_digest": name, "address": address},
    )

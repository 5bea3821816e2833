"""Rate limits: requests per token, and failed authentications per address, in fixed windows of a minute.

Counts are kept in the cache "rates" – this process's memory in the embedded default, Redis in production –, so that no
database transaction waits for them. While Redis is unreachable nothing is limited.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus

from django.core.cache import caches
from django.utils import timezone
from redis.exceptions import RedisError

from api.problems import Problem

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
LIMIT = 600


@dataclass(frozen=True)
class Rate:
    """A caller's requests in the current window; headers follow draft-ietf-httpapi-ratelimit-headers."""

    count: int
    reset: int  # seconds until the window ends

    @property
    def remaining(self) -> int:
        return max(0, LIMIT - self.count)

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Policy": f'"token";q={LIMIT};w={WINDOW_SECONDS}',
            "RateLimit": f'"token";r={self.remaining};t={self.reset}',
        }

    def check(self) -> None:
        """Raise Problem (429) beyond the limit."""
        if self.count > LIMIT:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"More than {LIMIT} requests within a minute. Try again in {self.reset} seconds.",
                headers={"Retry-After": str(self.reset)},
            )


def count_request(who: str) -> Rate:
    """Count a request of ``who`` – "token:7", "address:192.0.2.1" – in the current minute.

    Where the cache is unreachable the count is 0, with a warning in the log.
    """
    now = int(timezone.now().timestamp())
    key = f"{who}:{now // WINDOW_SECONDS}"
    reset = WINDOW_SECONDS - now % WINDOW_SECONDS
    cache = caches["rates"]
    try:
        cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
        return Rate(cache.incr(key), reset)
    except (RedisError, OSError, ValueError) as error:  # unreachable, or the key expired between the two calls
        logger.warning("API requests can't be counted: %s", error)
        return Rate(0, reset)

"""What the present work belongs to: its request and its sync run, for every line of the log.

Kept per thread and task (context variables); administrate.logs is the reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
run_id: ContextVar[int | None] = ContextVar("run_id", default=None)


@contextmanager
def for_run(pk: int) -> Iterator[None]:
    """What is logged inside carries the sync run's id."""
    token = run_id.set(pk)
    try:
        yield
    finally:
        run_id.reset(token)


@contextmanager
def for_request(identifier: str) -> Iterator[None]:
    """What is logged inside carries the request's id."""
    token = request_id.set(identifier)
    try:
        yield
    finally:
        request_id.reset(token)

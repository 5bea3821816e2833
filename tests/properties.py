"""Properties that both engines are asked: how many examples of them are tried, and which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, seed, settings

from tests.services.plugin import chosen_engine

_Test = TypeVar("_Test", bound=Callable[..., Any])


def tried_by_both(number: int) -> Callable[[_Test], _Test]:
    """So many examples of what `@given` describes, always the same: each engine tries another half of them."""
    of_one = settings(
        max_examples=number // 2,
        phases=[Phase.explicit, Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )

    def choose(test: _Test) -> _Test:
        return of_one(seed(chosen_engine())(test))

    return choose

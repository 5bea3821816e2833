"""Properties that both engines are asked: how many examples of them are tried, and which."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, seed, settings

from tests.services.plugin import chosen_engine

_Test = TypeVar("_Test", bound=Callable[..., Any])


def tried_by_both(number: int) -> Callable[[_Test], _Test]:
    """So many examples of what `@given` describes, always the same: each engine tries another half of them.

    Where one is asked alone, it tries as many as both.
    """
    of_one = settings(
        max_examples=number // 2 if "TEST_SHARED_FOLDER" in os.environ else number,
        phases=[Phase.explicit, Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )

    def choose(test: _Test) -> _Test:
        return of_one(seed(chosen_engine())(test))

    return choose

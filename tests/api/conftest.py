"""The counts of one test are not the next one's."""

from collections.abc import Iterator

import pytest
from django.core.cache import caches


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    caches["rates"].clear()
    yield
    caches["rates"].clear()

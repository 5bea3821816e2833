"""What programs ask most: a month's costs by company, asked as a program does.

Reference: one naive SUM per company over the raw rows of the month. How many requests a second the embedded product
answers is benchmarks.serving's.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from unittest.mock import patch

from django.test import Client
from django.utils import timezone

from api.models import Scope
from api.services import create_token
from benchmarks import pages, serving
from benchmarks.measuring import reads_of, recorded_statements, timed
from benchmarks.results import Result
from benchmarks.world import Effort, today
from core.months import days_of, first_of, preceding

# Of which the 95th part is told: one in twenty takes longer.
REQUESTS = 100
REQUESTS_OF_A_TOY = 20
QUESTIONS = {
    "costs of a month, by company": {"group_by": "company"},
    "costs of a month, by company and day": {"group_by": "company,day"},
    "costs of a month, by API key": {"group_by": "project"},
}


def measure(effort: Effort) -> Iterator[Result]:
    month = days_of(preceding(first_of(today())))
    client = _client()
    requests = REQUESTS if effort.page_seconds > 0.1 else REQUESTS_OF_A_TOY
    raw = pages.seconds_of_raw_sum(month.first, month.last, None)
    with patch("api.rates.LIMIT", 10**9):
        for name, asked in QUESTIONS.items():
            query = {"from": month.first.isoformat(), "to": month.last.isoformat(), **asked}
            with recorded_statements() as statements:
                _ask(client, query)
            times = sorted(_seconds(client, query) for _ in range(requests))
            reads = reads_of(statements)
            details: dict[str, object] = {"queries": len(statements), "median_ms": statistics.median(times) * 1000}
            if reads is not None:
                details |= {"rows_read": reads.rows, "heaviest": reads.heaviest}
            p95 = times[len(times) * 95 // 100 - 1]
            yield Result("api", f"{name}, 95 of 100", p95 * 1000, "ms", {"raw SUM": p95 / raw}, details)
    yield from serving.measure(effort)


def _seconds(client: Client, query: dict[str, str]) -> float:
    with timed() as run:
        _ask(client, query)
    return run.seconds


def _ask(client: Client, query: dict[str, str]) -> None:
    response = client.get("/api/v1/costs", query)
    if response.status_code != 200:
        raise RuntimeError(f"/api/v1/costs answers {response.status_code}.")


def _client() -> Client:
    _token, text = create_token(user=pages.admin(), name="Bench", scopes=[Scope.COSTS], now=timezone.now())
    return Client(headers={"Authorization": f"Bearer {text}"})

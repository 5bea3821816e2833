"""Programs that ask at the same moment, and answers that are broken off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from api.answers import CSV, NDJSON, stream
from core.csv_files import CHUNK_LINES
from providers.models import Company
from tests.api.asking import Api, make_token


@pytest.mark.django_db(transaction=True)
def test_act_that_is_asked_for_twice_at_once_is_carried_out_once() -> None:
    """With the same Idempotency-Key: both are answered the same, one of them as a repetition."""
    api = Api(make_token())
    barrier = threading.Barrier(2)
    answers: list[Any] = []

    def ask() -> None:
        barrier.wait()
        try:
            answers.append(api.post("/companies", {"name": "Acme"}, headers={"Idempotency-Key": "6f1d"}))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert sorted(answer.get("Idempotent-Replayed", "") for answer in answers) == ["", "true"]
    assert Company.objects.count() == 1


@pytest.mark.django_db  # closing an answer looks after the connection, of which another test may have left one
@pytest.mark.parametrize("format_", [CSV, NDJSON])
def test_answer_that_is_broken_off_ends_what_makes_it(format_: str) -> None:
    """At once, with the cursor that it reads from."""
    ended = []

    def lines() -> Iterator[dict[str, int]]:
        try:
            for number in range(3 * CHUNK_LINES):
                yield {"id": number}
        finally:
            ended.append(True)

    answer: Any = stream(format_, lines(), ["id"])
    reader = iter(answer)
    begun = [next(reader), next(reader)]  # of CSV the first is the heading

    answer.close()

    assert all(begun)
    assert ended == [True]

"""The HTTP client: what it sends, and which answers it takes for one."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from elevenlabs_sync.client import MAX_ANSWER_BYTES, ElevenLabsClient, to_milliseconds
from syncing.errors import AnswerTooLargeError, UnexpectedResponseError
from syncing.words import sentence
from tests.elevenlabs_sync.clients import refused
from tests.factories import API_KEY

START, END = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 30, 12, 30, 0, 1999, tzinfo=UTC)


def test_usage_is_asked_for_by_key_and_model_in_daily_utc_buckets(
    api: respx.MockRouter, api_client: ElevenLabsClient
) -> None:
    """The body names the whole window in milliseconds, and nothing is left to a default."""
    route = api.post("/v1/workspace/analytics/query/usage-by-product-over-time").respond(json={})

    api_client.usage_by_product(start=START, end=END)

    assert json.loads(route.calls.last.request.content) == {
        "start_time": 1_788_220_800_000,
        "end_time": 1_790_771_400_001,
        "interval_seconds": 86_400,
        "group_by": ["hashed_xi_api_key", "model"],
        "time_zone": "UTC",
    }


def test_request_carries_the_key_and_the_product(api: respx.MockRouter, api_client: ElevenLabsClient) -> None:
    """The key stands in its header only."""
    route = api.get("/v1/models").respond(json=[])

    api_client.models()

    request = route.calls.last.request
    assert request.headers["xi-api-key"] == API_KEY
    assert request.headers["user-agent"] == "Administrate/1"
    assert API_KEY not in str(request.url)
    assert request.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("ask", "path"),
    [
        (ElevenLabsClient.service_accounts, "/v1/service-accounts"),
        (ElevenLabsClient.subscription, "/v1/user/subscription"),
        (ElevenLabsClient.models, "/v1/models"),
    ],
)
def test_documents_are_returned_decoded(
    api: respx.MockRouter, api_client: ElevenLabsClient, ask: Callable[[ElevenLabsClient], Any], path: str
) -> None:
    """Each endpoint is one GET and its document is what was sent."""
    api.get(path).respond(json={"a": [1, None]})

    assert ask(api_client) == {"a": [1, None]}


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(2026, 9, 20, tzinfo=UTC), 1_789_862_400_000),
        (datetime(2026, 9, 20, 2, tzinfo=timezone(timedelta(hours=2))), 1_789_862_400_000),
        (datetime(2026, 9, 19, 23, 59, 59, 999_999, tzinfo=UTC), 1_789_862_399_999),
        (datetime(2028, 2, 29, tzinfo=UTC), 1_835_395_200_000),
    ],
    ids=str,
)
def test_milliseconds_are_exact_and_rounded_down(moment: datetime, expected: int) -> None:
    """A moment before midnight never becomes midnight."""
    assert to_milliseconds(moment) == expected


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - given with it
def test_milliseconds_lose_less_than_one(moment: datetime) -> None:
    """Any moment is found again to its millisecond."""
    back = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=to_milliseconds(moment))

    assert timedelta(0) <= moment - back < timedelta(milliseconds=1)


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_is_accepted_in_any_writing(
    api: respx.MockRouter, api_client: ElevenLabsClient, content_type: str
) -> None:
    """Parameters and capitals of the content type don't matter."""
    api.get("/v1/models").respond(200, content=b"[]", headers={"content-type": content_type})

    assert api_client.models() == []


@pytest.mark.parametrize("content_type", ["text/html", "text/plain; charset=utf-8", "application/jsonx", "", "x" * 999])
def test_other_content_types_are_refused(
    api: respx.MockRouter, api_client: ElevenLabsClient, content_type: str
) -> None:
    """What does not claim to be JSON is not read as it."""
    api.get("/v1/models").respond(200, content=b"[]", headers={"content-type": content_type})

    error = refused(api_client)

    assert type(error) is UnexpectedResponseError
    assert len(sentence(error, "ElevenLabs")) < 300


@pytest.mark.parametrize("content", [b"", b"{", b"[1, NaN]", b"<html>", b'"\xff"'])
def test_broken_json_is_refused(api: respx.MockRouter, api_client: ElevenLabsClient, content: bytes) -> None:
    """Half a document is no document."""
    api.get("/v1/models").respond(200, content=content, headers={"content-type": "application/json"})

    assert type(refused(api_client)) is UnexpectedResponseError


@pytest.mark.parametrize(("encoding", "content"), [("gzip", b"not gzip"), ("br", b"[]"), ("gzip, gzip", b"[]")])
def test_broken_or_other_compression_is_refused(
    api: respx.MockRouter, api_client: ElevenLabsClient, encoding: str, content: bytes
) -> None:
    """Only what was asked for is unpacked."""
    api.get("/v1/models").respond(
        200,
        stream=httpx.ByteStream(content),
        headers={"content-encoding": encoding, "content-type": "application/json"},
    )

    assert type(refused(api_client)) is UnexpectedResponseError


def test_gzip_is_unpacked(api: respx.MockRouter, api_client: ElevenLabsClient) -> None:
    """A compressed answer is the same answer."""
    api.get("/v1/models").respond(
        200,
        content=gzip.compress(b"[1]"),
        headers={"content-encoding": "gzip", "content-type": "application/json"},
    )

    assert api_client.models() == [1]


@pytest.mark.parametrize(("size", "fits"), [(MAX_ANSWER_BYTES, True), (MAX_ANSWER_BYTES + 1, False)])
def test_size_cap_is_exact(api: respx.MockRouter, api_client: ElevenLabsClient, *, size: int, fits: bool) -> None:
    """An answer of the cap's size is read, one byte more is not."""
    api.get("/v1/models").respond(200, content=b"[]" + b" " * (size - 2), headers={"content-type": "application/json"})

    if fits:
        assert api_client.models() == []
    else:
        assert type(refused(api_client)) is AnswerTooLargeError

"""The HTTP client: what each refusal means, what is quoted of it, and how long to wait."""

from __future__ import annotations

import json
import traceback
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from elevenlabs_sync.client import MAX_ANSWER_BYTES, ElevenLabsClient, retry_after
from syncing.errors import (
    InvalidKeyError,
    MissingPermissionError,
    ProviderError,
    RateLimitedError,
    RefusedError,
    RejectedError,
    UnavailableError,
    UnexpectedResponseError,
)
from syncing.words import sentence
from tests.elevenlabs_sync.clients import detail, refused
from tests.factories import API_KEY

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
NAMED = "The API key you used is missing the permission user_read to execute this operation."


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, detail("invalid_api_key", "Invalid API key"), InvalidKeyError, "wrong or was revoked"),
        (
            401,
            {"detail": {"type": "authentication_error", "code": "invalid_api_key", "message": "x", "status": "other"}},
            InvalidKeyError,
            "",
        ),
        (401, detail("missing_permissions", NAMED), MissingPermissionError, "user_read"),
        (403, detail("insufficient_permissions", NAMED), MissingPermissionError, "user_read"),
        (
            403,
            {"detail": {"code": "insufficient_permissions", "message": "No.", "status": "authorization_error"}},
            MissingPermissionError,
            "workspace_analytics_full_read",
        ),
        (401, {"detail": {"code": "unauthorized", "message": ""}}, MissingPermissionError, "workspace_analytics"),
        (401, detail("quota_exceeded", "Quota exceeded."), RefusedError, "Quota exceeded."),
        (403, detail("ip_not_allowed", "Your IP is not allowed."), RefusedError, "Your IP is not allowed."),
        (401, detail("api_key_ip_not_allowed", "Not from there."), RefusedError, "Not from there."),
        (401, None, RefusedError, "HTTP 401 without a reason"),
        (402, detail("insufficient_credits", "Pay."), RefusedError, "Pay."),
        (402, None, RefusedError, "payment is required"),
        (429, detail("too_many_concurrent_requests"), RateLimitedError, "limiting requests"),
        (429, detail("system_busy"), RateLimitedError, "limiting requests"),
        (429, None, RateLimitedError, "limiting requests"),
        (408, None, UnavailableError, "HTTP 408"),
        (409, detail("conflict"), UnavailableError, "HTTP 409"),
        (500, None, UnavailableError, "HTTP 500"),
        (503, detail("x"), UnavailableError, "HTTP 503"),
        (529, None, UnavailableError, "HTTP 529"),
        (400, detail("bad", "Bad window."), RejectedError, "HTTP 400: Bad window."),
        (404, {"detail": "Not Found"}, RejectedError, "HTTP 404: Not Found"),
        (
            422,
            {"detail": [{"loc": ["body", "start_time"], "msg": "Field required", "type": "missing"}]},
            RejectedError,
            "Field required",
        ),
        (418, [], RejectedError, "HTTP 418)"),
        (400, {"detail": []}, RejectedError, "HTTP 400)"),
        (400, {"detail": [[]]}, RejectedError, "HTTP 400)"),
        (400, {"detail": {"status": 7, "message": ["x"]}}, RejectedError, "HTTP 400)"),
        (301, None, UnexpectedResponseError, "redirect"),
        (304, None, UnexpectedResponseError, "redirect"),
        (307, None, UnexpectedResponseError, "redirect"),
    ],
)
def test_error_is_typed_by_status_and_code(
    api: respx.MockRouter,
    api_client: ElevenLabsClient,
    status: int,
    body: Any,
    kind: type[ProviderError],
    words: str,
) -> None:
    """Each row of the API's error table is one error, with ElevenLabs' own words where it has any."""
    api.get("/v1/models").respond(status, json=body, headers={"location": "https://elsewhere.example/"})

    error = refused(api_client)

    assert type(error) is kind
    assert words in sentence(error, "ElevenLabs")


@pytest.mark.parametrize(
    ("status", "kind"), [(401, RefusedError), (429, RateLimitedError), (502, UnavailableError), (400, RejectedError)]
)
@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"<html>Bad gateway</html>", {"content-type": "text/html"}),
        (b"", {}),
        (b"\xff\x00", {"content-type": "application/json"}),
        (b"x", {"content-encoding": "br"}),
        (b"x" * (MAX_ANSWER_BYTES + 1), {}),
        (b'{"detail": NaN}', {}),
    ],
    ids=["html", "empty", "bytes", "brotli", "large", "NaN"],
)
def test_status_speaks_when_the_body_does_not(
    api: respx.MockRouter,
    api_client: ElevenLabsClient,
    status: int,
    kind: type[ProviderError],
    content: bytes,
    headers: dict[str, str],
) -> None:
    """A gateway's page, or nothing that can be read, leaves the status to tell what happened."""
    api.get("/v1/models").respond(status, stream=httpx.ByteStream(content), headers=headers)

    assert type(refused(api_client)) is kind


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("no"),
        httpx.ConnectTimeout("no"),
        httpx.ReadTimeout("no"),
        httpx.WriteTimeout("no"),
        httpx.PoolTimeout("no"),
        httpx.ReadError("no"),
        httpx.WriteError("no"),
        httpx.RemoteProtocolError("no"),
        httpx.ProxyError("no"),
        httpx.UnsupportedProtocol("no"),
    ],
    ids=repr,
)
def test_network_faults_are_unavailability(
    api: respx.MockRouter, api_client: ElevenLabsClient, error: httpx.TransportError
) -> None:
    """Whatever breaks on the way is worth another attempt."""
    api.get("/v1/models").mock(side_effect=error)

    found = refused(api_client)

    assert type(found) is UnavailableError
    assert found.retryable


def test_message_is_cut_and_cleaned(api: respx.MockRouter, api_client: ElevenLabsClient) -> None:
    """A message of megabytes with control characters is one short line."""
    body = json.dumps(detail("x", "a\0b\r\nc\u202e\ud800 " + "z" * 5000))
    api.get("/v1/models").respond(400, content=body.encode())

    text = str(refused(api_client))

    assert "a b c z" in text
    assert text.isprintable()
    assert len(text) < 300


@pytest.mark.parametrize(
    "message",
    [
        API_KEY,
        f"key {API_KEY} is bad",
        f"xi_api_key_{API_KEY}",
        f"{API_KEY}{API_KEY}",
        API_KEY.removeprefix("sk_"),
        f"The API key you used is missing the permission {API_KEY} to do it",
    ],
)
@pytest.mark.parametrize("status", [400, 401, 402, 403, 422])
def test_echoed_key_is_never_quoted(
    api: respx.MockRouter, api_client: ElevenLabsClient, status: int, message: str
) -> None:
    """An error that repeats the key does so in vain."""
    api.get("/v1/models").respond(status, json=detail("odd", message))

    error = refused(api_client)

    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert API_KEY.removeprefix("sk_") not in f"{error} {error!r} {vars(error)}"
    assert API_KEY.removeprefix("sk_") not in shown.replace(repr(message), "")


@pytest.mark.parametrize("looks", ["sk_NotHexadecimal_1234", "0123456789abcdef" * 2, "xsk_live"])
def test_whatever_looks_like_a_key_is_never_quoted(
    api: respx.MockRouter, api_client: ElevenLabsClient, looks: str
) -> None:
    """Also a key that is not the one in use, in any of the forms that keys have had."""
    api.get("/v1/models").respond(400, json=detail("odd", f"Key {looks} is odd."))

    error = str(refused(api_client))

    assert looks.removeprefix("x") not in error
    assert "is odd." in error


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 7 "}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "86400"}, 86_400),
        ({"retry-after": "Sun, 22 Nov 2026 12:30:30 GMT"}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 12:30:30 -0000"}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 14:30:30 +0200"}, 30),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"x-ratelimit-reset": "12"}, 12),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 42)}, 42),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) - 42)}, 0),
        ({"retry-after": "soon", "x-ratelimit-reset": "12"}, 12),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "9" * 500}, None),
        ({"retry-after": "Wed, 21 Oct 99999999999999999999 07:28:00 GMT"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 +99999999999"}, None),
    ],
    ids=str,
)
def test_time_to_wait_is_read_in_each_form(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, an HTTP date, milliseconds or a reset; whatever is none of them says nothing."""
    assert retry_after(httpx.Headers(headers), now=NOW) == seconds


@given(st.text(st.characters(max_codepoint=0x17F), max_size=60), st.text("0123456789: ,GMT+-ADecJanWd", max_size=60))
def test_time_to_wait_never_fails(one: str, other: str) -> None:
    """No header makes an error of its own, and no wait is negative."""
    for name in ("retry-after", "retry-after-ms", "x-ratelimit-reset"):
        for value in (one, other, f"Wed, 21 Oct {other}"):
            seconds = retry_after({name: value}, now=NOW)
            assert seconds is None or seconds >= 0


@pytest.mark.parametrize("status", [429, 503])
def test_error_says_how_long_to_wait(api: respx.MockRouter, api_client: ElevenLabsClient, status: int) -> None:
    """The time that was told travels with the error."""
    api.get("/v1/models").respond(status, headers={"retry-after": "7"})

    error = refused(api_client)

    assert isinstance(error, RateLimitedError | UnavailableError)
    assert error.retry_after == 7

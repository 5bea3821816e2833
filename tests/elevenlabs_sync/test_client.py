"""The HTTP client: what it sends, what each answer means, and what it refuses."""

from __future__ import annotations

import gzip
import json
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from elevenlabs_sync.client import MAX_ANSWER_BYTES, ElevenLabsClient, retry_after, to_milliseconds
from elevenlabs_sync.simulator import SIMULATED_API_KEY
from elevenlabs_sync.simulator.routes import MODELS_PATH, USAGE_PATH
from syncing.errors import (
    AnswerTooLargeError,
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
from tests.factories import API_KEY, TODAY
from tests.simulation import EditedWorkspace, FaultySimulator, faults

HOST = "https://api.elevenlabs.io"
START, END = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 30, 12, 30, 0, 1999, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


@pytest.fixture
def api() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=HOST) as router:
        yield router


@pytest.fixture
def client() -> Iterator[ElevenLabsClient]:
    """A client whose transport respx replaces."""
    with ElevenLabsClient(
        base_url=HOST, api_key=API_KEY, user_agent="Administrate/1", transport=httpx.HTTPTransport()
    ) as made:
        yield made


@pytest.fixture
def server() -> Iterator[FaultySimulator]:
    with FaultySimulator(EditedWorkspace(TODAY, history_days=3)) as running:
        yield running


def asking(server: FaultySimulator, *, deadline: float = 30) -> ElevenLabsClient:
    return ElevenLabsClient(
        base_url=server.base_url, api_key=SIMULATED_API_KEY, user_agent="Administrate/1", deadline=deadline
    )


def usage(client: ElevenLabsClient) -> Any:
    return client.usage_by_product(
        start=datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC) - timedelta(days=3),
        end=datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC),
    )


# --- What is sent -----------------------------------------------------------------------------------------------------


def test_usage_is_asked_for_by_key_and_model_in_daily_utc_buckets(
    api: respx.MockRouter, client: ElevenLabsClient
) -> None:
    """The body names the whole window in milliseconds, and nothing is left to a default."""
    route = api.post("/v1/workspace/analytics/query/usage-by-product-over-time").respond(json={})

    client.usage_by_product(start=START, end=END)

    assert json.loads(route.calls.last.request.content) == {
        "start_time": 1_788_220_800_000,
        "end_time": 1_790_771_400_001,
        "interval_seconds": 86_400,
        "group_by": ["hashed_xi_api_key", "model"],
        "time_zone": "UTC",
    }


def test_request_carries_the_key_and_the_product(api: respx.MockRouter, client: ElevenLabsClient) -> None:
    """The key stands in its header only."""
    route = api.get("/v1/models").respond(json=[])

    client.models()

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
    api: respx.MockRouter, client: ElevenLabsClient, ask: Callable[[ElevenLabsClient], Any], path: str
) -> None:
    """Each endpoint is one GET and its document is what was sent."""
    api.get(path).respond(json={"a": [1, None]})

    assert ask(client) == {"a": [1, None]}


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


# --- Errors by status and words ---------------------------------------------------------------------------------------


def refused(client: ElevenLabsClient) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        client.models()
    return caught.value


def detail(code: str, message: str = "") -> dict[str, Any]:
    return {"detail": {"status": code, "message": message}}


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
    client: ElevenLabsClient,
    status: int,
    body: Any,
    kind: type[ProviderError],
    words: str,
) -> None:
    """Each row of the API's error table is one error, with ElevenLabs' own words where it has any."""
    api.get("/v1/models").respond(status, json=body, headers={"location": "https://elsewhere.example/"})

    error = refused(client)

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
    client: ElevenLabsClient,
    status: int,
    kind: type[ProviderError],
    content: bytes,
    headers: dict[str, str],
) -> None:
    """A gateway's page, or nothing that can be read, leaves the status to tell what happened."""
    api.get("/v1/models").respond(status, stream=httpx.ByteStream(content), headers=headers)

    assert type(refused(client)) is kind


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
    api: respx.MockRouter, client: ElevenLabsClient, error: httpx.TransportError
) -> None:
    """Whatever breaks on the way is worth another attempt."""
    api.get("/v1/models").mock(side_effect=error)

    found = refused(client)

    assert type(found) is UnavailableError
    assert found.retryable


def test_message_is_cut_and_cleaned(api: respx.MockRouter, client: ElevenLabsClient) -> None:
    """A message of megabytes with control characters is one short line."""
    body = json.dumps(detail("x", "a\0b\r\nc\u202e\ud800 " + "z" * 5000))
    api.get("/v1/models").respond(400, content=body.encode())

    text = str(refused(client))

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
def test_echoed_key_is_never_quoted(api: respx.MockRouter, client: ElevenLabsClient, status: int, message: str) -> None:
    """An error that repeats the key does so in vain."""
    api.get("/v1/models").respond(status, json=detail("odd", message))

    error = refused(client)

    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert API_KEY.removeprefix("sk_") not in f"{error} {error!r} {vars(error)}"
    assert API_KEY.removeprefix("sk_") not in shown.replace(repr(message), "")


@pytest.mark.parametrize("looks", ["sk_NotHexadecimal_1234", "0123456789abcdef" * 2, "xsk_live"])
def test_whatever_looks_like_a_key_is_never_quoted(api: respx.MockRouter, client: ElevenLabsClient, looks: str) -> None:
    """Also a key that is not the one in use, in any of the forms that keys have had."""
    api.get("/v1/models").respond(400, json=detail("odd", f"Key {looks} is odd."))

    error = str(refused(client))

    assert looks.removeprefix("x") not in error
    assert "is odd." in error


# --- How long to wait -------------------------------------------------------------------------------------------------


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
def test_error_says_how_long_to_wait(api: respx.MockRouter, client: ElevenLabsClient, status: int) -> None:
    """The time that was told travels with the error."""
    api.get("/v1/models").respond(status, headers={"retry-after": "7"})

    error = refused(client)

    assert isinstance(error, RateLimitedError | UnavailableError)
    assert error.retry_after == 7


# --- Answers that are no answer ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_is_accepted_in_any_writing(api: respx.MockRouter, client: ElevenLabsClient, content_type: str) -> None:
    """Parameters and capitals of the content type don't matter."""
    api.get("/v1/models").respond(200, content=b"[]", headers={"content-type": content_type})

    assert client.models() == []


@pytest.mark.parametrize("content_type", ["text/html", "text/plain; charset=utf-8", "application/jsonx", "", "x" * 999])
def test_other_content_types_are_refused(api: respx.MockRouter, client: ElevenLabsClient, content_type: str) -> None:
    """What does not claim to be JSON is not read as it."""
    api.get("/v1/models").respond(200, content=b"[]", headers={"content-type": content_type})

    error = refused(client)

    assert type(error) is UnexpectedResponseError
    assert len(sentence(error, "ElevenLabs")) < 300


@pytest.mark.parametrize("content", [b"", b"{", b"[1, NaN]", b"<html>", b'"\xff"'])
def test_broken_json_is_refused(api: respx.MockRouter, client: ElevenLabsClient, content: bytes) -> None:
    """Half a document is no document."""
    api.get("/v1/models").respond(200, content=content, headers={"content-type": "application/json"})

    assert type(refused(client)) is UnexpectedResponseError


@pytest.mark.parametrize(("encoding", "content"), [("gzip", b"not gzip"), ("br", b"[]"), ("gzip, gzip", b"[]")])
def test_broken_or_other_compression_is_refused(
    api: respx.MockRouter, client: ElevenLabsClient, encoding: str, content: bytes
) -> None:
    """Only what was asked for is unpacked."""
    api.get("/v1/models").respond(
        200,
        stream=httpx.ByteStream(content),
        headers={"content-encoding": encoding, "content-type": "application/json"},
    )

    assert type(refused(client)) is UnexpectedResponseError


def test_gzip_is_unpacked(api: respx.MockRouter, client: ElevenLabsClient) -> None:
    """A compressed answer is the same answer."""
    api.get("/v1/models").respond(
        200,
        content=gzip.compress(b"[1]"),
        headers={"content-encoding": "gzip", "content-type": "application/json"},
    )

    assert client.models() == [1]


@pytest.mark.parametrize(("size", "fits"), [(MAX_ANSWER_BYTES, True), (MAX_ANSWER_BYTES + 1, False)])
def test_size_cap_is_exact(api: respx.MockRouter, client: ElevenLabsClient, *, size: int, fits: bool) -> None:
    """An answer of the cap's size is read, one byte more is not."""
    api.get("/v1/models").respond(200, content=b"[]" + b" " * (size - 2), headers={"content-type": "application/json"})

    if fits:
        assert client.models() == []
    else:
        assert type(refused(client)) is AnswerTooLargeError


# --- Over the wire ----------------------------------------------------------------------------------------------------


def test_usage_is_fetched_over_the_wire(server: FaultySimulator) -> None:
    """The simulated workspace answers with a table."""
    with asking(server) as client:
        assert usage(client)["columns"][:3] == ["hashed_xi_api_key", "model", "timestamp"]


def test_connection_is_kept_for_the_next_request(server: FaultySimulator) -> None:
    """Several requests of one client work, also after one that broke off."""
    server.faults.add(MODELS_PATH, faults.CutConnection())

    with asking(server) as client:
        assert type(refused(client)) is UnavailableError
        assert client.models()
        assert client.models()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.CutConnection(), UnavailableError),
        (faults.ConnectionReset(), UnavailableError),
        (faults.CutJson(), UnexpectedResponseError),
        (faults.EmptyBody(), UnexpectedResponseError),
        (faults.Html(200), UnexpectedResponseError),
        (faults.ContentType(), UnexpectedResponseError),
        (faults.ErrorStatus(503, headers={"content-encoding": "gzip"}), UnavailableError),
        (faults.Endless(), AnswerTooLargeError),
        (faults.GzipBomb(), AnswerTooLargeError),
    ],
    ids=str,
)
def test_fault_of_the_wire_is_a_typed_error(
    server: FaultySimulator, fault: faults.Fault, kind: type[ProviderError]
) -> None:
    """Broken off, cut, empty, endless or bombed: each ends in its error."""
    server.faults.add(MODELS_PATH, fault)

    with asking(server) as client:
        assert type(refused(client)) is kind


@pytest.mark.parametrize("fault", [faults.Drip(0.01), faults.DripHeaders(0.01), faults.Delay(60)], ids=str)
def test_slow_answer_is_ended_by_the_deadline(server: FaultySimulator, fault: faults.Fault) -> None:
    """An answer that drips is unavailable, and may be asked for again."""
    server.faults.add(MODELS_PATH, fault)

    with asking(server, deadline=0.4) as client:
        error = refused(client)

    assert type(error) is UnavailableError
    assert "in time" in sentence(error, "ElevenLabs")


def test_no_server_is_unavailability() -> None:
    """Nobody listens: no connection."""
    with ElevenLabsClient(base_url="http://127.0.0.1:9", api_key=API_KEY, user_agent="x") as client:
        assert type(refused(client)) is UnavailableError


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_never_followed(server: FaultySimulator, status: int) -> None:
    """The server that is pointed at gets no request, and so no key."""
    with FaultySimulator(EditedWorkspace(TODAY, history_days=1)) as elsewhere:
        server.faults.add("/", faults.Redirect(f"{elsewhere.base_url}{USAGE_PATH}", status))

        with asking(server) as client, pytest.raises(UnexpectedResponseError, match="redirect"):
            usage(client)

        assert elsewhere.requests == []
    assert len(server.requests) == 1


def test_proxy_of_the_environment_is_not_used(server: FaultySimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable sends the key through somebody else's proxy."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    with asking(server) as client:
        assert client.models()


def test_client_shows_no_key() -> None:
    """Its repr says nothing."""
    with ElevenLabsClient(base_url=HOST, api_key=API_KEY, user_agent="x") as client:
        assert API_KEY not in f"{client!r} {client}"

"""The HTTP client of the ElevenLabs API: one method per endpoint that is used, errors as one typed tree.

It fetches and decodes; reading the documents is payloads' business, and repeating a failed call is retrying's. Answers
are capped in time and in (decompressed) size, and redirects are never followed.
Reference: https://elevenlabs.io/docs/api-reference/introduction
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx

from elevenlabs_sync.decoding import parse_json, parse_table
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
    quotable,
)
from syncing.transport import DeadlineTransport

ANALYTICS_PERMISSION = "workspace_analytics_full_read"
AGENTS_PERMISSION = "convai_read"
AGENTS_PER_PAGE = 100
MAX_ANSWER_BYTES = 10_000_000
EXCERPT_BYTES = 400
DAY_SECONDS = 86_400
_GZIP = 16  # added to zlib's wbits: expect a gzip header

_PERMISSION = re.compile(r"missing the permission[s]? [`'\"]?(\w+)")


class ElevenLabsClient:
    """Reads one workspace. Use it as a context manager, from one thread.

    ``deadline`` bounds each request as a whole, in seconds; ``transport`` replaces the network in tests.
    Every method raises the errors of syncing.errors and nothing else.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        user_agent: str,
        deadline: float = 60,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._beginning = b""
        self._http = httpx.Client(
            base_url=base_url,
            headers={
                "xi-api-key": api_key,
                "user-agent": user_agent,
                "accept": "application/json",
                "accept-encoding": "gzip",
            },
            timeout=httpx.Timeout(connect=min(5, deadline), read=deadline, write=deadline, pool=deadline),
            follow_redirects=False,
            trust_env=False,
            transport=transport or DeadlineTransport(seconds=deadline),
        )

    @property
    def excerpt(self) -> str:
        """How the latest answer begins, in one printable line in which nothing looks like a key; empty without one."""
        return quotable(self._beginning.decode(errors="replace"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def usage_by_product(self, *, start: datetime, end: datetime) -> Any:
        """Daily usage per API key and model in [start, end), as a tabular document.

        Reference: POST /v1/workspace/analytics/query/usage-by-product-over-time
        """
        return self._call_table(
            "/v1/workspace/analytics/query/usage-by-product-over-time",
            {
                "start_time": to_milliseconds(start),
                "end_time": to_milliseconds(end),
                "interval_seconds": DAY_SECONDS,
                "group_by": ["hashed_xi_api_key", "model"],
                "time_zone": "UTC",
            },
        )

    def usage_by_resource(self, *, start: datetime, end: datetime, resource_ids: Sequence[str]) -> Any:
        """As usage_by_product, divided by resource too, of these resources alone: there may be any number of others.

        Reference: POST /v1/workspace/analytics/query/usage-by-product-over-time
        """
        return self._call_table(
            "/v1/workspace/analytics/query/usage-by-product-over-time",
            {
                "start_time": to_milliseconds(start),
                "end_time": to_milliseconds(end),
                "interval_seconds": DAY_SECONDS,
                "group_by": ["hashed_xi_api_key", "model", "resource_id"],
                "filters": [{"column": "resource_id", "operation": "in", "values": list(resource_ids)}],
                "time_zone": "UTC",
            },
        )

    def usage_by_person(self, *, start: datetime, end: datetime, except_resources: Sequence[Sequence[str]]) -> Any:
        """As usage_by_product, divided by person too, without what these resources used.

        Reference: POST /v1/workspace/analytics/query/usage-by-product-over-time
        """
        return self._call_table(
            "/v1/workspace/analytics/query/usage-by-product-over-time",
            {
                "start_time": to_milliseconds(start),
                "end_time": to_milliseconds(end),
                "interval_seconds": DAY_SECONDS,
                "group_by": ["hashed_xi_api_key", "model", "user_id"],
                "filters": [
                    {"column": "resource_id", "operation": "not_in", "values": list(some)} for some in except_resources
                ],
                "time_zone": "UTC",
            },
        )

    def usage_cost(self, *, start: datetime, end: datetime) -> Any:
        """Daily cost per API key and model in [start, end), whole UTC days, of a workspace billed by cost.

        Reference: POST /v1/workspace/analytics/usage
        """
        return self._call_table(
            "/v1/workspace/analytics/usage",
            {
                "start_time": to_milliseconds(start),
                "end_time": to_milliseconds(end),
                "interval_seconds": DAY_SECONDS,
                "group_by": ["hashed_xi_api_key", "model"],
            },
        )

    def character_stats(self, *, start: datetime, end: datetime, metric: str, include_workspace: bool) -> Any:
        """One daily metric per model in [start, end), of the whole workspace or of the key's own user.

        Reference: GET /v1/usage/character-stats (deprecated)
        """
        return self._call(
            "GET",
            "/v1/usage/character-stats",
            query={
                "start_unix": to_milliseconds(start),
                "end_unix": to_milliseconds(end),
                "include_workspace_metrics": "true" if include_workspace else "false",
                "breakdown_type": "model",
                "aggregation_interval": "day",
                "metric": metric,
            },
        )

    def service_accounts(self) -> Any:
        """The service accounts with their API keys. Reference: GET /v1/service-accounts"""
        return self._call("GET", "/v1/service-accounts")

    def agents(self, *, cursor: str = "") -> Any:
        """A page of the workspace's agents. Reference: GET /v1/convai/agents"""
        query: dict[str, str | int] = {"page_size": AGENTS_PER_PAGE} | ({"cursor": cursor} if cursor else {})
        return self._call("GET", "/v1/convai/agents", query=query)

    def conversations(self, *, start: datetime, end: datetime, cursor: str = "") -> Any:
        """A page of the conversations that began in [start, end), without their summaries; no excerpt is kept of it.

        Reference: GET /v1/convai/conversations
        """
        query: dict[str, str | int] = {
            "page_size": AGENTS_PER_PAGE,
            "call_start_after_unix": to_milliseconds(start) // 1000,
            "call_start_before_unix": to_milliseconds(end) // 1000,
            "summary_mode": "exclude",
        }
        try:
            return self._call("GET", "/v1/convai/conversations", query=query | ({"cursor": cursor} if cursor else {}))
        finally:
            self._beginning = b""  # what people said is nobody's business

    def subscription(self) -> Any:
        """The workspace's plan. Reference: GET /v1/user/subscription"""
        return self._call("GET", "/v1/user/subscription")

    def models(self) -> Any:
        """The models and their display names. Reference: GET /v1/models"""
        return self._call("GET", "/v1/models")

    def _call_table(self, path: str, body: Mapping[str, Any]) -> Any:
        return parse_table(self._answer("POST", path, body=body))

    def _call(self, method: str, path: str, *, query: Mapping[str, str | int] | None = None) -> Any:
        return parse_json(self._answer(method, path, query=query))

    def _answer(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> bytearray:
        self._beginning = b""
        try:
            with self._http.stream(method, path, json=body, params=query) as response:
                if response.is_redirect:
                    raise UnexpectedResponseError("it is a redirect, which is never followed")
                if not response.is_success:
                    raise error_for(response, _error_body(response))
                content = _read_capped(response)
                self._beginning = bytes(content[:EXCERPT_BYTES])
        except httpx.TimeoutException:
            raise UnavailableError("it did not answer in time") from None
        except httpx.DecodingError:  # of a transport that unpacks by itself
            raise UnexpectedResponseError("its compression is broken") from None
        except httpx.RemoteProtocolError:
            # Includes an answer that ends before its announced length.
            raise UnavailableError("the connection broke off") from None
        except httpx.TransportError:
            raise UnavailableError("no connection") from None
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise UnexpectedResponseError("it is not JSON but " + (quotable(media_type)[:60] or "of no declared type"))
        return content


def to_milliseconds(moment: datetime) -> int:
    """Unix milliseconds of an aware ``moment``, rounded down."""
    since_epoch = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since_epoch.days * DAY_SECONDS * 1000 + since_epoch.seconds * 1000 + since_epoch.microseconds // 1000


def error_for(response: httpx.Response, content: bytes | bytearray) -> ProviderError:
    """The error that a status of 300 or more means; its text quotes only ElevenLabs' own words, cut and cleaned."""
    status = response.status_code
    codes, message = _detail(content)
    if status in {401, 403}:
        if "invalid_api_key" in codes and status == 401:
            return InvalidKeyError()
        if named := _PERMISSION.search(message):
            return MissingPermissionError(named[1])
        if codes & {"missing_permissions", "insufficient_permissions", "unauthorized"}:
            return MissingPermissionError(ANALYTICS_PERMISSION)
        return RefusedError(message or f"HTTP {status} without a reason.")
    if status == 402:
        return RefusedError(message or "payment is required.")
    if status == 429:
        return RateLimitedError(retry_after(response.headers, now=datetime.now(UTC)))
    if status in {408, 409} or status >= 500:
        return UnavailableError(
            f"HTTP {status}",
            retry_after=retry_after(response.headers, now=datetime.now(UTC)),
            may_concern_billing=status == 409,
        )
    if status < 400:
        return UnexpectedResponseError(f"HTTP {status}")
    return RejectedError(status, message)


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """The seconds to wait that the answer names; None where it does not say.

    Read from retry-after-ms, Retry-After (seconds or an HTTP date), or x-ratelimit-reset.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        if (number := _seconds(headers.get(name, ""))) is not None:
            return number * unit
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
        return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
    except (ValueError, OverflowError):  # not there, or no date of this world
        pass
    reset = _seconds(headers.get("x-ratelimit-reset", ""))
    if reset is None:
        return None
    # Seen as seconds to go; a number that large can only be a moment.
    return max(0.0, reset - now.timestamp()) if reset > 1_000_000_000 else reset


def _seconds(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,15}(\.\d{1,6})?", text.strip(), re.ASCII) else None


def _read_capped(response: httpx.Response) -> bytearray:
    """The decompressed body; raises AnswerTooLargeError as soon as it passes the cap.

    Unpacked here and not by httpx, which unpacks all of what one read brings: a few hundred bytes may be a megabyte.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"gzip", "identity", ""}:
        raise UnexpectedResponseError("it is compressed in a way that was not asked for")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | _GZIP) if encoding == "gzip" else None
    body = bytearray()
    for chunk in response.iter_raw():
        # One byte more than is allowed shows that it is too much.
        body += _unpacked(unpacker, chunk, MAX_ANSWER_BYTES + 1 - len(body)) if unpacker else chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise AnswerTooLargeError(MAX_ANSWER_BYTES)
    return body


def _unpacked(unpacker: zlib._Decompress, chunk: bytes, at_most: int) -> bytes:
    try:
        return unpacker.decompress(chunk, at_most)
    except zlib.error:
        raise UnexpectedResponseError("its compression is broken") from None


def _error_body(response: httpx.Response) -> bytes | bytearray:
    """What an error answer says about itself; empty where that can't be read, for its status says enough."""
    try:
        return _read_capped(response)
    except (httpx.RequestError, UnexpectedResponseError):
        return b""


def _detail(content: bytes | bytearray) -> tuple[frozenset[str], str]:
    """The codes and the message of an error answer in any of its forms; empty where it has none (a gateway's HTML)."""
    try:
        document = parse_json(content)
    except UnexpectedResponseError:
        return frozenset(), ""
    detail = document.get("detail") if isinstance(document, dict) else None
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        detail = {"message": detail[0].get("msg")}
    if isinstance(detail, str):
        detail = {"message": detail}
    if not isinstance(detail, dict):
        return frozenset(), ""
    # Newer answers name the code twice, and not always by the same word.
    return frozenset({quotable(detail.get("status")), quotable(detail.get("code"))}), quotable(detail.get("message"))

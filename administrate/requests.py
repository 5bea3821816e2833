"""What surrounds every request: its id, its time and its line in the log, the probes' short way, and plain headers.

Sign-in and rights are other middleware's business.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import resolve
from django.utils.encoding import escape_uri_path

from administrate.metrics import PAGE_SECONDS
from core.log_context import for_request

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# What a proxy may send as X-Request-ID. No key looks like this: they have underscores.
_SANE_ID = re.compile(r"[A-Za-z0-9-]{8,64}")

# A part of a path that is longer than any word or number of ours: the token of an invitation, say.
_TOKEN_IN_PATH = re.compile(r"(?<=/)[\w:.=-]{24,}(?=/|$)")

# Answered before sessions and sign-in, which may need the database, and whatever host they are asked for.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

# Of what a browser could grant to a page, ours need copying to the clipboard and passkeys, both of their own site.
PERMISSIONS_POLICY = ", ".join(
    [
        *(
            f"{feature}=()"
            for feature in (
                "accelerometer",
                "autoplay",
                "browsing-topics",
                "camera",
                "display-capture",
                "encrypted-media",
                "fullscreen",
                "geolocation",
                "gyroscope",
                "magnetometer",
                "microphone",
                "midi",
                "payment",
                "picture-in-picture",
                "screen-wake-lock",
                "sync-xhr",
                "usb",
                "xr-spatial-tracking",
            )
        ),
        "clipboard-write=(self)",
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
    ]
)


def identify(get_response: GetResponse) -> GetResponse:
    """Give the request an id, measure it and log it. Belongs outside of all other middleware.

    The id is a proxy's X-Request-ID where it is a sane one, and stands in the answer's header of the same name.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        identifier = given if _SANE_ID.fullmatch(given) else secrets.token_hex(8)
        begun = time.perf_counter()
        with for_request(identifier):
            response = get_response(request)
            _note(request, response, seconds=time.perf_counter() - begun)
        response["X-Request-ID"] = identifier
        return response

    return middleware


def answer_head_without_a_body(get_response: GetResponse) -> GetResponse:
    """The headers of the answer to GET, its length included, and nothing else: not every server leaves the body out."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.method == "HEAD":
            if isinstance(response, HttpResponse):
                response.headers.setdefault("Content-Length", str(len(response.content)))
                response.content = b""
            elif isinstance(response, StreamingHttpResponse):
                response.streaming_content = ()
        return response

    return middleware


def _note(request: HttpRequest, response: HttpResponseBase, *, seconds: float) -> None:
    """Write one line and one measurement per request, but for static files and probes."""
    if request.path_info in PROBES or request.path_info.startswith(f"/{settings.STATIC_URL.lstrip('/')}"):
        return
    page = request.resolver_match.view_name if request.resolver_match else ""
    PAGE_SECONDS.labels(page=page or "(none)", status=response.status_code).observe(seconds)
    # Escaped: a line break in it would forge a line of the log.
    path = _TOKEN_IN_PATH.sub("••••", escape_uri_path(request.path))
    logger.info(
        "%s %s %s",
        request.method,
        path,
        response.status_code,
        extra={"method": request.method, "path": path, "status": response.status_code, "ms": round(seconds * 1000)},
    )


def answer_probes(get_response: GetResponse) -> GetResponse:
    """The short way for what machines ask: with a session's cookie, too, /healthz never touches the database."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info in PROBES:
            answer: HttpResponseBase = resolve(request.path_info).func(request)
            return answer
        return get_response(request)

    return middleware


def answer_redirects_in_place(get_response: GetResponse) -> GetResponse:
    """Answer in-place.js with 204 and the Location instead of a redirect.

    The browser would follow a redirect unseen; the messages that wait for the next page would be used up by a page that
    nobody looks at.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if "X-In-Place" in request.headers and response.status_code in (301, 302, 303):
            response.status_code = 204
        return response

    return middleware


def refuse_what_no_browser_sends(get_response: GetResponse) -> GetResponse:
    """Refuse (400) requests that would end as a server error or fill the disk, and that need no sign-in.

    Bodies beyond DATA_UPLOAD_MAX_MEMORY_SIZE: Django's own limit leaves out files, which it would store in /tmp until
    the request is over, and nothing here takes files. NUL in a cookie, and in what the Django admin is asked:
    PostgreSQL accepts it in no text.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length[:20]) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise BadRequest("The body is too large.")
        asks_admin = request.path_info.startswith("/admin/")
        if any("\0" in text for text in request.COOKIES.values()) or (
            asks_admin and "%00" in request.META.get("QUERY_STRING", "")
        ):
            raise BadRequest("A cookie or the address holds NUL.")
        return get_response(request)

    return middleware


def harden(get_response: GetResponse) -> GetResponse:
    """The headers that Django has no setting for.

    Answers that are not marked as public (style sheets are) are stored neither by proxies nor by the browser, where the
    next person would find them by going back.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware

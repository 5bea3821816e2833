"""Middleware of the API: removes cookies, turns every error into a problem document, and answers 304 where an answer
has not changed.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.middleware.http import ConditionalGetMiddleware

from api.doors import RATE_ATTRIBUTE
from api.problems import CONTENT_TYPE, Problem
from api.rates import Rate

ROOT = "/api/"
# The one path below it that answers with an HTML page.
DOCUMENTATION = "/api/v1/docs"

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def answer_programs(get_response: GetResponse) -> GetResponse:
    """Has to stand before sessions, and outside of middleware that may answer with an HTML page."""
    conditional = ConditionalGetMiddleware(_no_response)
    compressing = GZipMiddleware(_no_response)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(ROOT) or request.path_info == DOCUMENTATION:
            return get_response(request)
        # The operations know no HEAD: it is answered as GET, and administrate.requests leaves the body out.
        method = request.method
        request.method = "GET" if method == "HEAD" else method
        try:
            return answered(request)
        finally:
            request.method = method

    def answered(request: HttpRequest) -> HttpResponseBase:
        request.META.pop("HTTP_COOKIE", None)
        response = _as_problem(get_response(request))
        if not response.streaming:
            response = conditional.process_response(request, response)
        # From here on also of an answer that is not sent again.
        rate = getattr(request, RATE_ATTRIBUTE, None)
        if isinstance(rate, Rate):
            for name, value in rate.headers.items():
                response.headers[name] = value
        # A client may store it, but has to revalidate it before each use.
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["Vary"] = "Authorization, Accept, Accept-Encoding"
        return compressing.process_response(request, response)

    return middleware


def _as_problem(response: HttpResponseBase) -> HttpResponseBase:
    """An error answer as a problem document: an unknown path, a body that is too large, an internal error."""
    if response.status_code < 400 or response.headers.get("Content-Type", "") == CONTENT_TYPE:
        return response
    kept = {name: response.headers[name] for name in ("Retry-After", "Allow") if name in response.headers}
    response.close()
    return Problem(HTTPStatus(response.status_code), headers=kept).response()


def _no_response(_request: HttpRequest) -> HttpResponseBase:
    """Never called: of the two middlewares only ``process_response`` is used."""
    raise NotImplementedError

"""What surrounds every request to the API: no cookie gets in, every error is a problem, and what stays equal is not
sent again.
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
# The one page below it, which is for people.
DOCUMENTATION = "/api/v1/docs"

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def answer_programs(get_response: GetResponse) -> GetResponse:
    """Belongs before sessions, and outside of whatever may answer with a page of its own."""
    conditional = ConditionalGetMiddleware(_nobody)
    compressing = GZipMiddleware(_nobody)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(ROOT) or request.path_info == DOCUMENTATION:
            return get_response(request)
        # The operations know no HEAD: it is answered as GET, and administrate.requests leaves the body out.
        asked = request.method
        request.method = "GET" if asked == "HEAD" else asked
        try:
            return answered(request)
        finally:
            request.method = asked

    def answered(request: HttpRequest) -> HttpResponseBase:
        request.META.pop("HTTP_COOKIE", None)
        response = _as_problem(get_response(request))
        rate = getattr(request, RATE_ATTRIBUTE, None)
        if isinstance(rate, Rate):
            for name, value in rate.headers.items():
                response.headers[name] = value
        # Kept by nobody who does not ask again.
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["Vary"] = "Authorization, Accept, Accept-Encoding"
        if not response.streaming:
            response = conditional.process_response(request, response)
        return compressing.process_response(request, response)

    return middleware


def _as_problem(response: HttpResponseBase) -> HttpResponseBase:
    """Whatever else refused: an address that is none, a body that is too large, an error of ours."""
    if response.status_code < 400 or response.headers.get("Content-Type", "") == CONTENT_TYPE:
        return response
    kept = {name: response.headers[name] for name in ("Retry-After", "Allow") if name in response.headers}
    response.close()
    return Problem(HTTPStatus(response.status_code), headers=kept).response()


def _nobody(_request: HttpRequest) -> HttpResponseBase:
    """The middleware that is used here is asked for nothing but its answer's second half."""
    raise NotImplementedError

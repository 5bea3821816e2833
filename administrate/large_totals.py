"""What would add up to more than can be stored is refused wherever a form could cause it, not in each view."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from core.request_helpers import next_url
from core.responses import problem
from core.sums import TotalTooLargeError

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def refuse_large_totals(get_response: GetResponse) -> GetResponse:
    """422 with the sentence for a TotalTooLargeError that no form has shown; the transaction has ended by then."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TotalTooLargeError):
            return None
        back = next_url(request) or reverse("dashboard")
        return problem(request, "Nothing was changed", [exception.text], back)

    middleware.process_exception = process_exception  # type: ignore[attr-defined]  # as Django looks for it
    return middleware

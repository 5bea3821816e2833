"""Pages about the product itself: settings, the theme, and what is shown when something goes wrong."""

from __future__ import annotations

import sys

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST

from administrate.context import site
from administrate.theme import ROWS, THEMES, rows_of
from core.database import is_out_of_order
from core.request_helpers import next_url

RETRY_AFTER_SECONDS = 30
YEAR = 365 * 24 * 60 * 60
ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


# Settings -------------------------------------------------------------------------------------------------------------


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember the theme, and how high rows are, in cookies of this browser."""
    response = redirect(next_url(request) or "settings")
    theme = request.POST.get("theme", "")
    rows = request.POST.get("rows", rows_of(request))
    if theme not in THEMES or rows not in ROWS:
        return problem(request, 400)
    for cookie, value in (("theme", theme), ("rows", rows)):
        response.set_cookie(
            cookie, value, max_age=YEAR, samesite="Lax", httponly=True, secure=settings.SESSION_COOKIE_SECURE
        )
    messages.success(request, f"Theme: {theme.capitalize()}. Rows: {rows.capitalize()}.")
    return response


# When something goes wrong --------------------------------------------------------------------------------------------


def problem(request: HttpRequest, status: int, template: str = "") -> HttpResponse:
    """The page of an error status. It is rendered without the request: nothing of it may need the database."""
    text = render_to_string(
        template or f"{status}.html", {"theme": site(request)["theme"], "frame": "alone.html", "nav": ()}
    )
    return HttpResponse(text, status=status)


def refusal(request: HttpRequest, status: int, template: str) -> HttpResponse:
    """The page of an error; with a sign-in it has the navigation, of what the person may open."""
    if hasattr(request, "user") and request.user.is_authenticated:
        return render(request, template, {"frame": "base.html"}, status=status)
    return problem(request, status, template)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    return problem(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return refusal(request, 403, "403.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    return refusal(request, 403, "403_csrf.html")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return refusal(request, 404, "404.html")


def too_many_requests(request: HttpRequest) -> HttpResponse:
    return problem(request, 429)


def server_error(request: HttpRequest) -> HttpResponse:
    """503, with when to come back, while the database can't be used; else 500. Called as the exception is handled."""
    if is_out_of_order(sys.exc_info()[1]):
        response = problem(request, 503)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response
    return problem(request, 500)

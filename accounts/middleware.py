"""Access control: no view runs before accounts.access has allowed it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.access import asks_to_confirm, is_open_before_enrolment, may_open, role_of
from accounts.confirming import ask_to_confirm, is_confirmed
from accounts.models import Role
from accounts.requiring import ENROLMENT_ATTRIBUTE, enrolment_of


class AccessMiddleware:
    """Stands after AuthenticationMiddleware. Needs no word from a view, and none can open itself past it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, _view: object, _args: object, _kwargs: object) -> Any:
        """None lets the view run. 403: the person lacks the role, or sent a form without confirming who it is.

        A Company viewer gets 404 instead: it must not learn what there is beside its own companies.
        """
        match = request.resolver_match
        if match is None:
            return None
        if may_open(request.user, match):
            enrolment = enrolment_of(request)
            setattr(request, ENROLMENT_ATTRIBUTE, enrolment)
            if enrolment and enrolment.is_due and not is_open_before_enrolment(match):
                return redirect("security")
            return ask_to_confirm(request) if asks_to_confirm(match) and not is_confirmed(request) else None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if role_of(request) == Role.COMPANY_VIEWER:
            if match.view_name == "dashboard":  # where signing in and the brand lead
                return redirect("your_companies")
            raise Http404
        raise PermissionDenied

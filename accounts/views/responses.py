"""How the views of django-allauth answer here."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


def unprocessable_when_refused(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer 422, as all of our forms do, where allauth answers 200 with a form and its errors."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse) and response.status_code == 200:
            context = response.context_data or {}
            forms = [context.get("form"), context.get("webauthn_form")]
            if any(form is not None and form.errors for form in forms):
                response.status_code = 422
        return response

    return wrapped

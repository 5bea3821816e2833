"""What several views read from a request: who asks, and where to go back to."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def next_url(request: HttpRequest) -> str:
    """The same-site address that the form asks to go back to; empty where it names another site."""
    url = request.POST.get("next", "")
    safe = len(url) <= 2000 and url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if safe else ""


def sentences(form: forms.BaseForm) -> Iterable[str]:
    """Every refusal of a form that has no page of its own."""
    return [str(sentence) for errors in form.errors.values() for sentence in errors]

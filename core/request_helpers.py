"""What several views read from a request: the signed-in person, and where to go back to."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def next_url(request: HttpRequest) -> str:
    """The path to return to that the form names; empty where it is not on this site."""
    sent = request.POST if request.method == "POST" else request.GET
    url = sent.get("next", "")
    return url if is_own_path(url) else ""


def is_own_path(url: str) -> bool:
    """Whether ``url`` is a path on this site, whatever its host is called – as every link of ours to go back by is.

    A word without a slash is none: Django's redirect() would take it for the name of a URL.
    """
    return url.startswith("/") and len(url) <= 2000 and url_has_allowed_host_and_scheme(url, allowed_hosts=None)


def sentences(form: forms.BaseForm) -> Iterable[str]:
    """Every refusal of a form that has no page of its own."""
    return [str(sentence) for errors in form.errors.values() for sentence in errors]

"""Recent confirmation of identity, and sending people to the page that asks for it.

A browser that was left open, or a stolen cookie, is enough to look and to do what can be undone. For what
accounts.access marks as Confirmed a person must have signed in, or shown password, code or passkey again, within the
last ACCOUNT_REAUTHENTICATION_TIMEOUT seconds.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY, get_authentication_records
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from core.request_helpers import is_own_path


def is_confirmed(request: HttpRequest) -> bool:
    user = request.user if isinstance(request.user, User) else None
    shown_at = max((record["at"] for record in get_authentication_records(request, user)), default=0)
    return bool(time.time() - shown_at < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


def date_single_sign_on(request: HttpRequest, user: User, sociallogin: Any = None, **_signal: Any) -> None:
    """Receives django-allauth's ``user_logged_in``: whom a sign-in service had asked long ago has shown nothing now.

    Where it does not say when it asked, it was now.
    """
    told = (sociallogin.account.extra_data.get("id_token") or {}).get("auth_time") if sociallogin else None
    if isinstance(told, int | float):
        *before, latest = get_authentication_records(request, user)
        request.session[AUTHENTICATION_METHODS_SESSION_KEY] = [*before, latest | {"at": min(latest["at"], told)}]


def ask_to_confirm(request: HttpRequest) -> HttpResponse:
    """To the page that asks, and from there back; a form that was sent is told how to be sent again.

    What it held is neither kept nor shown: it may be a key or a password. Only the browser still has it.
    """
    if request.method in ("GET", "HEAD"):
        return redirect(_address(request, back=request.get_full_path()))
    back = _page_of_the_form(request)
    context = {"address": _address(request, back=back), "back": back}
    return render(request, "account/confirm_first.html", context, status=403)


def _address(request: HttpRequest, *, back: str) -> str:
    """Who has neither password nor factor confirms where they sign in."""
    ways = get_adapter(request).get_reauthentication_methods(request.user)
    name = "openid_connect_login" if settings.OIDC_ENABLED else "account_reauthenticate"
    address = ways[0]["url"] if ways else reverse(name)
    return f"{address}?{urlencode({'next': back})}"


def _page_of_the_form(request: HttpRequest) -> str:
    """Where the form was filled in, as the browser says; the dashboard where that is no page of ours."""
    path = request.headers.get("Referer", "").removeprefix(f"{request.scheme}://{request.get_host()}")
    return path if is_own_path(path) else "/"

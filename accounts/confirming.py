"""Recent confirmation of identity, and redirects to the page where a person gives it.

An open browser or a stolen cookie allows reading, and acts that can be undone. URLs that accounts.access marks as
Confirmed require a sign-in, or password, code or passkey once more, within the last ACCOUNT_REAUTHENTICATION_TIMEOUT
seconds.
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
    """Receives django-allauth's ``user_logged_in``: date a single sign-on by its ID token's ``auth_time``.

    The identity provider may reuse a sign-in of hours ago, which confirms nothing now. Without ``auth_time`` the
    present time stays, which django-allauth has recorded.
    """
    signed_in_at = (sociallogin.account.extra_data.get("id_token") or {}).get("auth_time") if sociallogin else None
    if isinstance(signed_in_at, int | float):
        *before, latest = get_authentication_records(request, user)
        request.session[AUTHENTICATION_METHODS_SESSION_KEY] = [
            *before,
            latest | {"at": min(latest["at"], signed_in_at)},
        ]


def ask_to_confirm(request: HttpRequest) -> HttpResponse:
    """Redirect to the page of confirmation, which leads back. A POST is answered by a page (403) that says to send the
    form again.

    The form's content is neither stored nor shown, since it may hold a key or a password; the browser still has it.
    """
    if request.method in ("GET", "HEAD"):
        return redirect(_address(request, back=request.get_full_path()))
    back = _page_of_the_form(request)
    context = {"address": _address(request, back=back), "back": back}
    return render(request, "account/confirm_first.html", context, status=403)


def _address(request: HttpRequest, *, back: str) -> str:
    """The page of confirmation; a person without password and second factor confirms by signing in."""
    ways = get_adapter(request).get_reauthentication_methods(request.user)
    name = "openid_connect_login" if settings.OIDC_ENABLED else "account_reauthenticate"
    address = ways[0]["url"] if ways else reverse(name)
    return f"{address}?{urlencode({'next': back})}"


def _page_of_the_form(request: HttpRequest) -> str:
    """The page of the form by the Referer header; the dashboard where that is not a page of this site."""
    path = request.headers.get("Referer", "").removeprefix(f"{request.scheme}://{request.get_host()}")
    return path if is_own_path(path) else "/"

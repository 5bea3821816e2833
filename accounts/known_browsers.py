"""Browsers in which a person has signed in before: attempts of strangers do not throttle them (accounts.throttle).

A signed cookie says so, for one person. It opens nothing, since the password is still needed. It lasts half a
year, and ends for every browser with the person's password.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac

COOKIE = "known_browser"
PATH = "/accounts/"  # of the pages that take passwords and codes
LASTS = 180 * 24 * 60 * 60  # seconds
_SALT = "accounts.known_browsers"


def mark_known(response: HttpResponseBase, user: User) -> None:
    """Let the browser that gets ``response`` be known to ``user`` from now on."""
    response.set_cookie(
        COOKIE,
        signing.dumps([user.pk, secrets.token_hex(8), _mark(user)], salt=_SALT),
        max_age=LASTS,
        path=PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def known_browser(request: HttpRequest, user: User) -> str:
    """A text that identifies this browser, if ``user`` has signed in with it before; empty otherwise."""
    if request.user.is_authenticated and request.user.pk == user.pk and request.session.session_key:
        return f"session:{request.session.session_key}"
    try:
        pk, browser, mark = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LASTS)
    except (signing.BadSignature, TypeError, ValueError):
        return ""
    return f"browser:{browser}" if pk == user.pk and constant_time_compare(mark, _mark(user)) else ""


def _mark(user: User) -> str:
    """Another one as soon as the password is."""
    return salted_hmac(_SALT, user.password, algorithm="sha256").hexdigest()[:32]

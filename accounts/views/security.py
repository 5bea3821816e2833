"""Settings → Security: password, second factors and sessions of who is signed in. The forms are django-allauth's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from allauth.account import views as account
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_codes
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.adapters import UnreadableSecondFactorError
from accounts.browsers import describe_browser
from accounts.known_browsers import mark_known
from accounts.models import Session
from accounts.services.members import end_sessions
from accounts.sessions import digest
from core.audit import audit_event


@dataclass(frozen=True)
class ListedSession:
    browser: str
    address: str
    since: datetime
    is_current: bool


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    factors = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    codes = next((factor for factor in factors if factor.type == Authenticator.Type.RECOVERY_CODES), None)
    here = digest(request.session.session_key or "")
    sessions = [
        ListedSession(describe_browser(session.user_agent), session.address, session.began_at, session.pk == here)
        for session in Session.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-began_at")
        if session.began_at
    ]
    sessions.sort(key=lambda session: not session.is_current)
    context = {
        "has_password": user.has_usable_password(),
        "app": next((factor for factor in factors if factor.type == Authenticator.Type.TOTP), None),
        "passkeys": [factor for factor in factors if factor.type == Authenticator.Type.WEBAUTHN],
        "codes": codes,
        "codes_left": app_settings.RECOVERY_CODE_COUNT - codes.data["used_mask"].bit_count() if codes else 0,
        "sessions": sessions,
        "idle_hours": settings.SESSION_IDLE_HOURS,
        "max_days": settings.SESSION_MAX_DAYS,
    }
    return render(request, "settings/security.html", context)


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    ended = end_sessions(user=user, but=request.session.session_key)
    if ended:
        audit_event("session.ended_elsewhere", user, actor=user, new={"sessions": ended})
    messages.success(request, "You are signed out everywhere but here.")
    return redirect("security")


def change_password(request: HttpRequest) -> HttpResponse:
    """Ends the person's other sessions. Who came by single sign-on has no password to change, and gets none."""
    if not _user(request).has_usable_password():
        messages.info(request, "You sign in by single sign-on. There is no password to change.")
        return redirect("security")
    answer: HttpResponse = account.password_change(request)
    if answer.status_code == 302:  # the new password has made every browser a stranger, also this one
        mark_known(answer, _user(request))
    return answer


@never_cache
def view_recovery_codes(request: HttpRequest) -> HttpResponse:
    return _readable_or_back(recovery_codes.view_recovery_codes, request)


@never_cache
def download_recovery_codes(request: HttpRequest) -> HttpResponse:
    return _readable_or_back(recovery_codes.download_recovery_codes, request)


def _readable_or_back(view: Callable[[HttpRequest], HttpResponse], request: HttpRequest) -> HttpResponse:
    try:
        return view(request)
    except UnreadableSecondFactorError:
        messages.error(request, "The recovery codes can't be read any more. Make new ones.")
        return redirect("security")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - accounts.access has seen to it; for the type checker
    return request.user

"""Signing in by an OpenID Connect provider of the operator's: who may come in that way.

An invitation's e-mail address is the bridge. An Admin wrote it, and the provider says – verified – that it is the
person's. Without such an invitation access is denied, whatever the provider says. Once linked, the provider's own id of
the person counts, not the address.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base import AuthError
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.models import Invitation
from accounts.names import free_name_for
from accounts.services.inviting import accept_invitation
from core.audit import audit_event

PROVIDER_ID = "sso"

NOBODY = "Nobody here was invited with the verified e-mail address of your account."
SOMEBODY_ELSE = (
    "Whoever was invited with the verified e-mail address of your account signs in with another account. If that is "
    "you, an Admin can unlink the other one, under Settings → Members."
)


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, _request: HttpRequest, _sociallogin: Any) -> bool:
        """No sign-up: pre_social_login has let in those who were invited."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Let a linked person pass, link an invited one, and refuse everybody else."""
        claims = sociallogin.account.extra_data
        if not _is_one_person(claims):
            raise ImmediateHttpResponse(refusal(request, "The answer of the sign-in service contradicts itself."))
        if sociallogin.is_existing:
            return
        if reason := _link(request, sociallogin, verified_email(claims)):
            audit_event("session.sign_in_failed", User(), new={"step": "single sign-on"})
            raise ImmediateHttpResponse(refusal(request, reason))

    def on_authentication_error(
        self,
        _request: HttpRequest,
        _provider: Any,
        error: Any = None,
        exception: Exception | None = None,  # noqa: ARG002 - django-allauth's signature
        extra_context: Any = None,  # noqa: ARG002
    ) -> None:
        """Who cancels at the provider is back where they began; every other error has its page."""
        if error == AuthError.CANCELLED:
            raise ImmediateHttpResponse(redirect("account_login"))

    def get_requests_session(self) -> Any:
        """Never follows a redirect: only addresses that the provider names itself are called."""
        session = super().get_requests_session()
        session.max_redirects = 0
        session.trust_env = False
        return session


def verified_email(claims: dict[str, Any]) -> str:
    """The e-mail address of the claims, lower case, if the provider vouches for it; else the empty string.

    An invitation's address has only ASCII before the @. Others match no invitation, also where they look alike in lower
    case: the Kelvin sign becomes a "k".
    """
    told = claims.get("userinfo") or claims.get("id_token") or {}
    email = told.get("email")
    # Some providers write booleans as words.
    is_verified = told.get("email_verified") in (True, "true")
    if not (is_verified and isinstance(email, str) and email.rpartition("@")[0].isascii()):
        return ""
    return email.strip().lower()


def refusal(request: HttpRequest, reason: str, *, status: int = 403) -> Any:
    return render(request, "account/sso_refused.html", {"reason": reason}, status=status)


def _is_one_person(claims: dict[str, Any]) -> bool:
    """Whether ID token and user info have the same subject, a check that OpenID Connect Core, 5.3.2, requires."""
    subjects = {str(part.get("sub") or "") for part in (claims.get("userinfo"), claims.get("id_token")) if part}
    return len(subjects) == 1 and "" not in subjects


@transaction.atomic
def _link(request: HttpRequest, sociallogin: Any, email: str) -> str:
    """Link the account there to the person here who was invited with ``email``; why not, or nothing.

    A user is never linked to a second account: an address can be given to another person, the provider's own id can't.
    """
    user = _find_or_make(email)
    if user is None:
        return NOBODY
    User.objects.select_for_update().get(pk=user.pk)  # of two at once the second waits, and finds the first
    if SocialAccount.objects.filter(user=user).exists():
        return SOMEBODY_ELSE
    sociallogin.connect(request, user)
    return ""


def _find_or_make(email: str) -> User | None:
    """The person who was invited with ``email``: as they are, or made now; None without such an invitation."""
    if not email:
        return None
    now = timezone.now()
    accepted = Invitation.objects.filter(email__iexact=email, accepted_by__isnull=False).select_related("accepted_by")
    if (invitation := _exactly(email, accepted)) is not None:
        return invitation.accepted_by
    invitation = _exactly(email, Invitation.objects.open(now).filter(email__iexact=email))
    if invitation is None:
        return None
    return accept_invitation(invitation=invitation, username=free_name_for(email), password=None, now=now)


def _exactly(email: str, found: Iterable[Invitation]) -> Invitation | None:
    """The first of those found that Python, too, finds equal: to some databases "wıkı.example" is "wiki.example"."""
    return next((invitation for invitation in found if invitation.email.lower() == email), None)

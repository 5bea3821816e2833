"""Adapters of django-allauth: how this product signs people in, with its sentences, URLs and encryption."""

from __future__ import annotations

from typing import Any, ClassVar

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.addresses import client_address
from accounts.confirming import is_confirmed
from accounts.known_browsers import mark_known
from accounts.names import find_person
from accounts.throttle import Step, begin_attempt
from core.request_helpers import is_own_path
from core.secrets import ApiKey, KeyUnreadableError, decrypt, encrypt


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    error_messages: ClassVar[dict[str, str]] = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "Username or password is incorrect.",
        "rate_limited": "Too many attempts. Try again in 5 minutes.",
        "incorrect_password": "This is not your password.",
        "enter_current_password": "This is not your password.",
    }

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """There is no sign-up: people are invited."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Where `next` may lead after signing in or out."""
        return is_own_path(url)

    def is_reauthentication_required(self, *, app: str, **_kwargs: Any) -> bool:  # noqa: ARG002 - allauth's signature
        """Use this product's rule for confirming identity in place of django-allauth's."""
        return not is_confirmed(self.request)

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Throttle before anything is hashed. Every name is looked up, so that a known one takes as long."""
        name = credentials.get("username", "")
        self._attempt = begin_attempt(request, step=Step.PASSWORD, name=name, user=find_person(name))

    def _rollback_login_failed_rl_usage(self) -> None:
        """django-allauth's word for: it was the right one."""
        self._attempt.succeeded()

    def authentication_failed(self, _request: HttpRequest, **_credentials: Any) -> None:
        """What is typed as a username may be a password in the wrong box: only names that exist are recorded."""
        self._attempt.failed()

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponseBase:
        """After any kind of sign-in the browser is known."""
        response: HttpResponseBase = super().post_login(request, user, **kwargs)
        mark_known(response, user)
        return response


class UnreadableSecondFactorError(ValidationError):
    """The stored secret can't be decrypted with any of ENCRYPTION_KEYS; shown where the code was typed."""

    def __init__(self) -> None:
        super().__init__("The codes of this account can't be checked any more. Ask an Admin to reset its two-factor.")


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages: ClassVar[dict[str, str]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is not right, or was used already. Enter the one that shows now.",
        "incorrect_passkey": "The passkey was not accepted. Try again.",
    }

    def encrypt(self, text: str) -> str:
        """With the keys that encrypt API keys: a copy of the database alone opens no account."""
        return encrypt(ApiKey(text))

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return decrypt(encrypted_text).reveal()
        except KeyUnreadableError:
            raise UnreadableSecondFactorError from None

    def build_totp_svg(self, url: str) -> SafeString:
        """The QR code as an element of the page: the policy allows no image that is written into an address."""
        code = qrcode.QRCode(border=4)
        code.add_data(url)
        code.make()
        matrix = code.get_matrix()
        dark = "".join(
            f"M{column} {row}h1v1h-1z"
            for row, line in enumerate(matrix)
            for column, is_dark in enumerate(line)
            if is_dark
        )
        return format_html(
            '<svg class="qr" role="img" aria-label="QR code of the key below" viewBox="0 0 {size} {size}" '
            'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{size}v{size}H0z"/><path d="{dark}"/></svg>',
            size=len(matrix),
            dark=dark,
        )

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002 - allauth's name
        number = user.authenticator_set.filter(type=type).count() + 1
        return "Passkey" if number == 1 else f"Passkey {number}"

"""Sign-in rules on top of django-allauth: no public sign-up, the product's words for its errors."""

from typing import ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    error_messages: ClassVar[dict[str, str]] = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "Username or password is incorrect.",
        "too_many_login_attempts": "Too many attempts. Try again in 5 minutes.",
    }

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """Nobody signs up: an admin makes the accounts."""
        return False

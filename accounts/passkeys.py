"""The forms that take what a browser says about a passkey. django-allauth's, proof against what no browser says.

The parsing below them assumes the shape that browsers send, and answers anything else with whatever Python raises.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn import forms
from cryptography.exceptions import InvalidSignature

from accounts.throttle import Step, guarding


@contextmanager
def refusing_nonsense() -> Iterator[None]:
    """Also a signature of another key, which is what a forged answer comes down to."""
    try:
        yield
    except (ArithmeticError, AttributeError, InvalidSignature, LookupError, TypeError, ValueError, struct.error):
        raise get_adapter().validation_error("incorrect_passkey") from None


class AddPasskeyForm(forms.AddWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    def clean(self) -> Any:
        with refusing_nonsense():
            return super().clean()


class SecondStepForm(forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    def clean_credential(self) -> Any:
        with guarding(Step.SECOND_FACTOR, context.request, self.user), refusing_nonsense():
            return super().clean_credential()


class SignInForm(forms.LoginWebAuthnForm):  # type: ignore[misc]
    def clean_credential(self) -> Any:
        with refusing_nonsense():
            return super().clean_credential()


class ConfirmForm(forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    def clean_credential(self) -> Any:
        with guarding(Step.SECOND_FACTOR, context.request, self.user), refusing_nonsense():
            return super().clean_credential()

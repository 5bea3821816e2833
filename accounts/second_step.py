"""The forms that take a code: django-allauth's, behind our throttle. Those that take a passkey are in passkeys.py."""

from __future__ import annotations

from allauth.core import context
from allauth.mfa.base import forms

from accounts.throttle import Step, guarding


class CodeForm(forms.AuthenticateForm):  # type: ignore[misc]  # allauth ships no types
    def clean_code(self) -> str:
        with guarding(Step.SECOND_FACTOR, context.request, self.user):
            return str(super().clean_code())


class ConfirmCodeForm(forms.ReauthenticateForm):  # type: ignore[misc]
    def clean_code(self) -> str:
        with guarding(Step.SECOND_FACTOR, context.request, self.user):
            return str(super().clean_code())

"""The fields that several forms share – a key, a name, a day, a percentage, ids; each refuses with a sentence."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.secrets import ApiKey, looks_like_key, refuse_keys

# One act of assigning; more than anybody has ticked, less than a hostile form may send.
ASSIGN_LIMIT = 2000

DATE_UNREADABLE = "The date can't be read. Write it as YYYY-MM-DD."

# What a key looks like is the provider's business; this only keeps out what no HTTP header can carry.
_PRINTABLE = re.compile(r"[\x21-\x7e]+\Z")


class ApiKeyField(forms.CharField):
    """A key that is typed or pasted: masked, never rendered back, and no plain string from here on (ApiKey)."""

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        super().__init__(
            max_length=200,
            error_messages={"required": "Enter an API key."},
            widget=forms.PasswordInput(render_value=False, attrs=attributes),
            **kwargs,
        )

    def clean(self, value: Any) -> Any:
        key = super().clean(value)
        if not _PRINTABLE.match(key):
            raise ValidationError("This is not an API key: it holds a space or a character that keys don't have.")
        return ApiKey(key)


class NameField(forms.CharField):
    """What something is called. A key that was pasted into it is refused, and not rendered back."""

    default_validators = [refuse_keys]  # noqa: RUF012 - as of Field, whose own is a list

    def prepare_value(self, value: Any) -> Any:
        return "" if isinstance(value, str) and looks_like_key(value) else value


class DayField(forms.DateField):
    """A UTC day, in the one way that browsers send dates."""

    def __init__(self, *, required: str, **kwargs: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%d"],
            error_messages={
                "required": required,
                "invalid": DATE_UNREADABLE,
            },
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "off"}),
            **kwargs,
        )


class PercentField(forms.CharField):
    """A percentage with at most two decimals, as people write it: "12.5", "12,5", "12.5 %".

    Cleaned, it is a Decimal or None. Nothing else that Python would take for a number: no sign, no exponent, no NaN.
    """

    WRITTEN = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{1,2})?) ?%?", re.ASCII)

    def __init__(self, *, unreadable: str, **kwargs: Any) -> None:
        self.unreadable = unreadable
        super().__init__(
            max_length=10,
            error_messages={"max_length": unreadable} | kwargs.pop("error_messages", {}),
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            **kwargs,
        )

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        written = self.WRITTEN.fullmatch(text)
        if not written:
            raise ValidationError(self.unreadable)
        return Decimal(written[1].replace(",", "."))

    def prepare_value(self, value: Any) -> Any:
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value


class IdsField(forms.Field):
    """Several ids of one name, as checkboxes send them, or a list with commas; unreadable ones are refused."""

    widget = forms.SelectMultiple

    def to_python(self, value: Any) -> list[int]:
        texts = list(dict.fromkeys(text for several in value or [] for text in several.split(",")))
        if len(texts) > ASSIGN_LIMIT:
            raise ValidationError(f"Choose at most {ASSIGN_LIMIT} keys at a time.")
        if not all(text.isascii() and text.isdecimal() and len(text) <= 18 for text in texts):
            raise ValidationError("Some of these keys don't exist. Reload the page and choose again.")
        return [int(text) for text in texts]

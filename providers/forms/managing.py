"""What the menu of a provider's page leads to: its name, its key, a range to read again, what is shared, its end."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core import wording
from core.days import EARLIEST_DAY
from providers.forms.fields import ApiKeyField, DayField, NameField
from providers.models import Provider


class RenameForm(forms.Form):
    name = NameField(
        label="Name",
        max_length=Provider._meta.get_field("name").max_length,
        error_messages={"required": "Enter a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ReplaceKeyForm(forms.Form):
    """A new key for a workspace; ``same_workspace`` is a field only where nothing shows it."""

    api_key = ApiKeyField(label="New API Key")
    same_workspace = forms.BooleanField(label="I am sure that this key belongs to the same workspace", required=False)


class ResyncForm(forms.Form):
    """A range of UTC days to read again, both inclusive."""

    first = DayField(label="From (UTC)", required="Enter the first day.")
    last = DayField(label="To (UTC)", required="Enter the last day.")

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        for name in ("first", "last"):
            self.fields[name].widget.attrs |= {"min": EARLIEST_DAY.isoformat(), "max": today.isoformat()}

    def clean_first(self) -> date:
        return self._within(self.cleaned_data["first"])

    def clean_last(self) -> date:
        return self._within(self.cleaned_data["last"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "first" in cleaned and "last" in cleaned and cleaned["first"] > cleaned["last"]:
            self.add_error("last", "The last day must not be before the first.")
        return cleaned

    def _within(self, day: date) -> date:
        if day < EARLIEST_DAY:
            raise ValidationError(f"The date must not be before {wording.day(EARLIEST_DAY)}.")
        if day > self.today:
            raise ValidationError(f"The date must not be after today ({wording.day(self.today)}, UTC).")
        return day


class DeleteForm(forms.Form):
    """Letting go of a provider: with or without its history; to delete that as well, its name is typed."""

    KEEP = "keep"
    DELETE = "delete"

    history = forms.ChoiceField(
        choices=[(KEEP, "Disconnect and keep its history"), (DELETE, "Delete with all its history")],
        error_messages={"required": "Choose what to do.", "invalid_choice": "Choose what to do."},
    )
    confirmed_name = forms.CharField(
        label="Name of the provider",
        required=False,
        max_length=1000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class AgentsForm(forms.Form):
    attributes_by = forms.ChoiceField(
        choices=Provider.AttributesBy.choices,
        error_messages={"required": "Choose one of the two.", "invalid_choice": "Choose one of the two."},
    )

    by_conversations = forms.BooleanField(required=False)
    by_person = forms.BooleanField(required=False)

    def clean_attributes_by(self) -> Provider.AttributesBy:
        return Provider.AttributesBy(self.cleaned_data["attributes_by"])


class KeylessForm(forms.Form):
    sharing = forms.ChoiceField(
        choices=Provider.KeylessSharing.choices,
        error_messages={"required": "Choose one of the three.", "invalid_choice": "Choose one of the three."},
    )

    def clean_sharing(self) -> Provider.KeylessSharing:
        return Provider.KeylessSharing(self.cleaned_data["sharing"])

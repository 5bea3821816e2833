"""What is changed on the page of one key: its label, and one of its periods."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.days import EARLIEST_DAY
from core.wording import day
from providers.forms.assigning import LATEST_START
from providers.forms.fields import DayField, NameField
from providers.models import Project


class LabelForm(forms.Form):
    label = NameField(
        label="Label",
        required=False,
        max_length=Project._meta.get_field("label").max_length,
        help_text="Shown instead of the reported name, on statements too. Leave it empty to show that name.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_label(self) -> str:
        return " ".join(self.cleaned_data["label"].split())


class PeriodForm(forms.Form):
    """One period, by the day on which it begins, and – unless it is removed – the day on which it shall begin."""

    starts_on = forms.DateField(input_formats=["%Y-%m-%d"])
    to = DayField(label="Begins on (UTC)", required="Enter the day on which it begins.")

    def __init__(self, *args: Any, is_removed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_removed:
            del self.fields["to"]

    def clean_to(self) -> date:
        to: date = self.cleaned_data["to"]
        if not EARLIEST_DAY <= to <= LATEST_START:
            raise ValidationError(f"The date must be between {day(EARLIEST_DAY)} and {day(LATEST_START)}.")
        return to

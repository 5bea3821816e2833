"""Naming a company, and what its statements show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.validators import MaxLengthValidator

from providers.forms.fields import NameField, PercentField
from providers.models import Company

if TYPE_CHECKING:
    _CompanyModelForm = forms.ModelForm[Company]
else:
    _CompanyModelForm = forms.ModelForm


class CompanyForm(_CompanyModelForm):
    markup_percent = PercentField(
        label="Mark-up on statements, %",
        required=False,
        help_text="Shown on statements beside the cost, never instead of it. Blank: none.",
        unreadable="Enter a percentage from 0 to 999.99, for example 15, or leave it blank.",
    )

    class Meta:
        model = Company
        fields = ("name", "notes", "markup_percent")
        field_classes: ClassVar = {"name": NameField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["autocomplete"] = "off"
        self.fields["name"].error_messages["required"] = "Enter a name."
        self.fields["notes"].help_text = "For you and your colleagues; shown on the company's page."
        self.fields["notes"].widget.attrs["rows"] = 3
        self.fields["notes"].validators.append(MaxLengthValidator(5000))

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

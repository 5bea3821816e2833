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
        help_text="What you add to the cost. Blank: none.",
        unreadable="Enter a percentage from 0 to 999.99, for example 15, or leave it blank.",
    )

    class Meta:
        model = Company
        fields = ("name", "notes", "markup_percent", "statement_amounts", "statement_lines")
        field_classes: ClassVar = {"name": NameField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["autocomplete"] = "off"
        self.fields["name"].error_messages["required"] = "Enter a name."
        self.fields["notes"].help_text = "For you and your colleagues; shown on the company's page."
        self.fields["notes"].widget.attrs["rows"] = 3
        self.fields["notes"].validators.append(MaxLengthValidator(5000))

        amounts, lines = self.fields["statement_amounts"], self.fields["statement_lines"]
        amounts.label, lines.label = "What the client sees", "Lines of its statements"
        amounts.choices = [("", "Price only where there is a mark-up"), *Company.Amounts.choices]  # type: ignore[attr-defined]
        amounts.help_text = "On its statements, and on every page and file for people who see this company alone."
        lines.help_text = "API keys without a label are together as “Other usage”."
        lines.required = False  # forms and programs of before don't send it

    def clean_statement_lines(self) -> str:
        return self.cleaned_data["statement_lines"] or self.instance.statement_lines

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

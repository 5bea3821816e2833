"""Connecting a provider, assigning API keys, naming a company: what is accepted, and the words for what is not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator

from providers import registry
from providers.models import Company, Project, Provider
from providers.secrets import ApiKey

# One act of assigning; more than a page of keys, less than what a hostile form may ask for.
ASSIGN_LIMIT = 500
EARLIEST_START = date(2020, 1, 1)
LATEST_START = date(2100, 12, 31)

# What a key looks like is the provider's business; this only keeps out what no HTTP header can carry.
_PRINTABLE = re.compile(r"[\x21-\x7e]+\Z")


class ConnectForm(forms.Form):
    """A provider type, a name, a key and where the workspace's data lives."""

    provider_type = forms.ChoiceField(label="Provider Type")
    name = forms.CharField(
        label="Name",
        max_length=Provider._meta.get_field("name").max_length,
        help_text="How the workspace is called here, e.g. “Production ElevenLabs”.",
        error_messages={"required": "Enter a name."},
    )
    api_key = forms.CharField(
        label="API Key",
        max_length=200,
        error_messages={"required": "Enter an API key."},
        help_text="Starts with “sk_”. Copy it from ElevenLabs and paste it here.",
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        ),
    )
    region = forms.ChoiceField(
        label="Data residency",
        required=False,
        help_text="Global, unless the workspace was made in an isolated region.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        types = registry.all_types()
        self._choose("provider_type", {type_.slug: type_.label for type_ in types})
        self._choose("region", {region.slug: region.label for type_ in types for region in type_.regions()})
        self.fields["name"].widget.attrs["autocomplete"] = "off"

    def _choose(self, name: str, choices: Mapping[str, str]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = list(choices.items())
        field.error_messages["invalid_choice"] = "Choose one of the list."

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if Provider.objects.filter(name__iexact=name).exists():
            raise ValidationError("A provider with this name already exists.")
        return name

    def clean_api_key(self) -> ApiKey:
        """The key in its masking wrapper: from here on it is never a plain string."""
        key = self.cleaned_data["api_key"]
        if not _PRINTABLE.match(key):
            raise ValidationError("This is not an API key: it holds a space or a character that keys don't have.")
        return ApiKey(key)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "provider_type" in cleaned and "region" in cleaned:
            regions = [region.slug for region in registry.get(cleaned["provider_type"]).regions()]
            cleaned["region"] = cleaned["region"] or regions[0]
            if cleaned["region"] not in regions:
                self.add_error("region", "Choose one of the list.")
        return cleaned


class IdsField(forms.Field):
    """Several ids of one name, as checkboxes send them; unreadable ones are refused."""

    widget = forms.SelectMultiple

    def to_python(self, value: Any) -> list[int]:
        texts = list(dict.fromkeys(value or []))
        if len(texts) > ASSIGN_LIMIT:
            raise ValidationError(f"Choose at most {ASSIGN_LIMIT} keys at a time.")
        if not all(text.isascii() and text.isdecimal() and len(text) <= 18 for text in texts):
            raise ValidationError("Some of these keys don't exist. Reload the page and choose again.")
        return [int(text) for text in texts]


class AssignForm(forms.Form):
    """Some API keys of one provider, a company (one there is, a new one, or none), and from when on."""

    NOBODY = "none"
    NEW = "new"

    projects = IdsField(error_messages={"required": "Choose at least one key."})
    company = forms.CharField(required=False, max_length=20, error_messages={"max_length": "Choose a company."})
    new_company = forms.CharField(required=False, max_length=Company._meta.get_field("name").max_length)
    applies_to = forms.ChoiceField(
        required=False,
        choices=[("all", "All history"), ("from", "From a date")],
        error_messages={"invalid_choice": "Choose “All history” or “From a date”."},
    )
    starts_on = forms.DateField(
        required=False,
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "The date can't be read. Write it as YYYY-MM-DD."},
    )

    def __init__(self, *args: Any, provider: Provider, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.provider = provider

    def clean_projects(self) -> list[Project]:
        wanted: list[int] = self.cleaned_data["projects"]
        found = list(Project.objects.for_provider(self.provider).filter(pk__in=wanted))
        if len(found) != len(wanted):
            raise ValidationError("Some of these keys don't exist. Reload the page and choose again.")
        return found

    def clean(self) -> dict[str, Any]:
        """Adds ``existing_company`` (None: nobody, or the new one) and settles ``new_company`` and ``starts_on``."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        choice, new_name = cleaned.get("company", ""), cleaned.get("new_company", "")
        cleaned["existing_company"] = None
        if choice == self.NEW or (not choice and new_name):
            if not new_name and "new_company" not in self.errors:
                self.add_error("new_company", "Enter the new company's name.")
        elif choice != self.NOBODY:
            cleaned["new_company"] = ""
            if "company" not in self.errors:
                cleaned["existing_company"] = self._company(choice)
        else:
            cleaned["new_company"] = ""
        if cleaned.get("applies_to") != "from":
            cleaned["starts_on"] = None
        elif "starts_on" not in self.errors:
            self._check_start(cleaned["starts_on"])
        return cleaned

    def _company(self, choice: str) -> Company | None:
        if not choice:
            self.add_error("company", "Choose a company.")
            return None
        company = (
            Company.objects.current().filter(pk=int(choice)).first()
            if choice.isascii() and choice.isdecimal() and len(choice) <= 18
            else None
        )
        if company is None:
            self.add_error("company", "This company doesn't exist any more. Reload the page and choose again.")
        return company

    def _check_start(self, starts_on: date | None) -> None:
        if starts_on is None:
            self.add_error("starts_on", "Enter the date from which on it applies.")
        elif not EARLIEST_START <= starts_on <= LATEST_START:
            self.add_error(
                "starts_on", f"The date must be between {EARLIEST_START.isoformat()} and {LATEST_START.isoformat()}."
            )


if TYPE_CHECKING:
    _CompanyModelForm = forms.ModelForm[Company]
else:
    _CompanyModelForm = forms.ModelForm


class CompanyForm(_CompanyModelForm):
    class Meta:
        model = Company
        fields = ("name", "notes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["autocomplete"] = "off"
        self.fields["name"].error_messages["required"] = "Enter a name."
        self.fields["notes"].help_text = "For you and your colleagues; shown on the company's page."
        self.fields["notes"].widget.attrs["rows"] = 3
        self.fields["notes"].validators.append(MaxLengthValidator(5000))

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

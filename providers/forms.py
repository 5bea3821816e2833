"""What the forms accept – connecting and managing a provider, assigning keys, naming a company – and their refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator

from providers import registry
from providers.models import EARLIEST_DAY, Company, Project, Provider
from providers.secrets import ApiKey

# One act of assigning; more than a page of keys, less than what a hostile form may ask for.
ASSIGN_LIMIT = 500
LATEST_START = date(2100, 12, 31)

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


class ConnectForm(forms.Form):
    """A provider type, a name, a key and where the workspace's data lives.

    ``source`` is what one of its buttons says: usage per API key, or the account's totals.
    """

    provider_type = forms.ChoiceField(label="Provider Type")
    name = forms.CharField(
        label="Name",
        max_length=Provider._meta.get_field("name").max_length,
        help_text="How the workspace is called here, e.g. “Production ElevenLabs”.",
        error_messages={"required": "Enter a name."},
    )
    api_key = ApiKeyField(label="API Key", help_text="Starts with “sk_”. Copy it from ElevenLabs and paste it here.")
    region = forms.ChoiceField(
        label="Data residency",
        required=False,
        help_text="Global, unless the workspace was made in an isolated region.",
    )
    source = forms.ChoiceField(
        required=False, choices=Provider.Source.choices, error_messages={"invalid_choice": "Choose one of the buttons."}
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

    def clean_source(self) -> Provider.Source:
        return Provider.Source(self.cleaned_data["source"] or Provider.Source.ANALYTICS)

    @property
    def asks_for_account_totals(self) -> bool:
        return self.data.get("source") == Provider.Source.ACCOUNT_TOTALS

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "provider_type" in cleaned and "region" in cleaned:
            regions = [region.slug for region in registry.get(cleaned["provider_type"]).regions()]
            cleaned["region"] = cleaned["region"] or regions[0]
            if cleaned["region"] not in regions:
                self.add_error("region", "Choose one of the list.")
        return cleaned


class RenameForm(forms.Form):
    name = forms.CharField(
        label="Name",
        max_length=Provider._meta.get_field("name").max_length,
        error_messages={"required": "Enter a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ReplaceKeyForm(forms.Form):
    """A new key for a workspace; ``same_workspace`` is asked for only where nothing shows it."""

    api_key = ApiKeyField(
        label="New API Key",
        help_text="Starts with “sk_”. It is tried first, then stored encrypted and never shown again.",
    )
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
            raise ValidationError(f"The date must not be before {EARLIEST_DAY.isoformat()}.")
        if day > self.today:
            raise ValidationError(f"The date must not be after today ({self.today.isoformat()}, UTC).")
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
        error_messages={"invalid": DATE_UNREADABLE},
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
        elif not EARLIEST_DAY <= starts_on <= LATEST_START:
            self.add_error(
                "starts_on", f"The date must be between {EARLIEST_DAY.isoformat()} and {LATEST_START.isoformat()}."
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

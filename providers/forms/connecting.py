"""Connecting a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from providers import registry
from providers.forms.fields import ApiKeyField, NameField
from providers.models import Provider

NAME_TAKEN = "A provider with this name already exists."


class ConnectForm(forms.Form):
    """A provider type, a name, a key and where the workspace's data lives.

    ``source`` is what one of its buttons says: usage per API key, or the account's totals.
    """

    provider_type = forms.ChoiceField(label="Provider Type")
    name = NameField(
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
        self.fields["name"].widget.attrs |= {"autocomplete": "off", "data-taken": "names-taken"}

    def _choose(self, name: str, choices: Mapping[str, str]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = list(choices.items())
        field.error_messages["invalid_choice"] = "Choose one of the list."

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if Provider.objects.filter(name__iexact=name).exists():
            raise ValidationError(NAME_TAKEN)
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

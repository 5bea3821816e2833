"""Connecting a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from providers import registry
from providers.forms.fields import ApiKeyField, NameField
from providers.models import Provider
from providers.registry import default_region

NAME_TAKEN = "A provider with this name already exists."


class ConnectForm(forms.Form):
    """A provider type, a name, a key and – where the type has regions – where the workspace's data lives.

    The form is that of one type, which sent data name themselves and ``shown`` names before. ``source`` is what one of
    its buttons says: usage per API key, or the account's totals.
    """

    provider_type = forms.ChoiceField(label="Provider Type")
    name = NameField(
        label="Name",
        max_length=Provider._meta.get_field("name").max_length,
        error_messages={"required": "Enter a name."},
    )
    api_key = ApiKeyField()
    region = forms.ChoiceField(required=False)
    source = forms.ChoiceField(
        required=False, choices=Provider.Source.choices, error_messages={"invalid_choice": "Choose one of the buttons."}
    )

    def __init__(self, *args: Any, shown: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        types = {type_.slug: type_ for type_ in registry.all_types()}
        self.type = types.get(self.data.get("provider_type") or shown) or next(iter(types.values()))
        self.words = self.type.words
        self._choose("provider_type", {slug: type_.label for slug, type_ in types.items()})
        if len(types) > 1:  # chosen by links, since the other fields depend on it
            self.fields["provider_type"].widget = forms.HiddenInput()
            self.fields["provider_type"].initial = self.type.slug
        self.fields["name"].help_text = f"How the workspace is called here, e.g. “{self.words.name_example}”."
        self.fields["api_key"].label, self.fields["api_key"].help_text = self.words.key_label, self.words.key_help
        self._offer_regions()
        self.fields["name"].widget.attrs |= {"autocomplete": "off", "data-taken": "names-taken"}

    def _offer_regions(self) -> None:
        regions = self.type.regions()
        if not regions:
            del self.fields["region"]
            return
        self.fields["region"].label, self.fields["region"].help_text = self.words.region_label, self.words.region_help
        self._choose("region", {region.slug: region.label for region in regions})

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
        if "region" not in self.errors:
            cleaned["region"] = cleaned.get("region") or default_region(self.type)
        return cleaned

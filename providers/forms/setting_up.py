"""The list of clients that names suggest, to be edited: which, under which names, with which keys and rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from providers.client_names import Client
from providers.forms.fields import NameField
from providers.models import Company, Project
from providers.services.setting_up import ChosenClient

_LONGEST_NAME = Company._meta.get_field("name").max_length


@dataclass(frozen=True)
class ClientFields:
    """One client's part of the form."""

    client: Client[Project]
    use: forms.BoundField
    name: forms.BoundField
    keys: forms.BoundField
    rule: forms.BoundField | None


class ClientsForm(forms.Form):
    """Fields of each client are named by the id of its first key, so that a list that has grown keeps its meaning."""

    def __init__(self, data: Mapping[str, Any] | None, clients: Sequence[Client[Project]]) -> None:
        super().__init__(data)
        self._clients = {str(client.items[0].pk): client for client in clients}
        for slug, client in self._clients.items():
            self.fields[f"use-{slug}"] = forms.BooleanField(
                label=f"Make {client.name} a company", required=False, initial=not client.is_own
            )
            self.fields[f"name-{slug}"] = NameField(
                label="Company",
                max_length=Company._meta.get_field("name").max_length,
                initial=client.name,
                required=False,
            )
            self.fields[f"keys-{slug}"] = forms.TypedMultipleChoiceField(
                label="Keys",
                coerce=int,
                required=False,
                choices=[(project.pk, project.display_name) for project in client.items],
                initial=[project.pk for project in client.items],
                widget=forms.CheckboxSelectMultiple,
            )
            if client.prefix:
                self.fields[f"rule-{slug}"] = forms.BooleanField(
                    label=f"New keys that begin with “{client.prefix}” belong to it", required=False, initial=True
                )

    def parts(self) -> Iterator[ClientFields]:
        for slug, client in self._clients.items():
            rule = self[f"rule-{slug}"] if client.prefix else None
            yield ClientFields(client, self[f"use-{slug}"], self[f"name-{slug}"], self[f"keys-{slug}"], rule)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = [slug for slug in self._clients if cleaned.get(f"use-{slug}")]
        for slug in chosen:
            if not cleaned.get(f"name-{slug}") and f"name-{slug}" not in self.errors:
                self.add_error(f"name-{slug}", "Enter a name, or leave this client out.")
            if not cleaned.get(f"keys-{slug}"):
                self.add_error(f"keys-{slug}", "Choose at least one key, or leave this client out.")
        if not chosen:
            self.add_error(None, "Choose at least one client.")
        return cleaned

    def chosen(self) -> list[ChosenClient]:
        """Of a valid form. Clients that were given one name are one company."""
        found = []
        for slug, client in self._clients.items():
            if self.cleaned_data[f"use-{slug}"]:
                keys = set(self.cleaned_data[f"keys-{slug}"])
                found.append(
                    ChosenClient(
                        company=self.cleaned_data[f"name-{slug}"],
                        projects=tuple(project for project in client.items if project.pk in keys),
                        prefix=client.prefix if self.cleaned_data.get(f"rule-{slug}") else "",
                    )
                )
        return found

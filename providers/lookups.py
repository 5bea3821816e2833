"""Rows by the names that people type."""

from __future__ import annotations

from core.commands import bad_input
from providers.models import Provider


def provider_named(name: str) -> Provider:
    """The provider of this name, whatever its capitals; raises Error."""
    provider = Provider.objects.filter(name__iexact=name).first()
    if provider is None:
        known = ", ".join(f"“{known}”" for known in Provider.objects.values_list("name", flat=True)[:10])
        raise bad_input(f"There is no provider named “{name}”. {f'Known: {known}.' if known else 'None is connected.'}")
    return provider

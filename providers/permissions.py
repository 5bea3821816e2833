"""Permissions of this app by name, for whoever asks for them."""

from typing import Final

SEE_PROVIDERS: Final = "providers.view_provider"  # every provider, key, company and figure

"""Names of this app's permissions."""

from typing import Final

SEE_PROVIDERS: Final = "providers.view_provider"  # every provider, key, company and figure

"""The filter of a page by provider: links to each of a few, and a field to find one of many by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from core.querystate import Choice, link
from providers.models import Provider

ALL_PROVIDERS = "All providers"

# With more of them a page would be mostly links that nobody opens.
MOST_LINKS = 25

_LONGEST = 100  # of a name


@dataclass(frozen=True)
class ProviderSearch:
    """By a part of a name, in the address too."""

    text: str
    found: int
    kept: tuple[tuple[str, str], ...]  # the other parameters, for the form
    most: int = MOST_LINKS

    @property
    def is_shortened(self) -> bool:
        """Whether more were found than are linked to."""
        return self.found > self.most


@dataclass(frozen=True)
class ProviderFilter:
    provider: Provider | None  # the chosen one
    choices: tuple[Choice, ...]  # "All providers" first; empty where there is nothing to choose
    search: ProviderSearch | None  # of many


def read_provider_filter(request: HttpRequest, providers: Sequence[Provider]) -> ProviderFilter:
    """What the address says: the id of a provider, or a part of a name, which chooses where it is of one alone."""
    by_id = {str(provider.pk): provider for provider in providers}
    chosen = by_id.get(request.GET.get("provider", ""))
    search, linked = None, list(providers)
    if len(providers) > MOST_LINKS:
        text = request.GET.get("provider_name", "").strip()[:_LONGEST]
        found = [one for one in providers if text and text.casefold() in one.name.casefold()]
        linked = found[:MOST_LINKS]
        if len(found) == 1:
            (chosen,), text = found, ""
        elif chosen and chosen not in linked:
            linked.insert(0, chosen)
        kept = tuple((name, str(value)) for name, value in request.GET.items() if name not in {"provider_name", "page"})
        search = ProviderSearch(text, len(found), kept)
    options = {"": ALL_PROVIDERS} | {str(provider.pk): provider.name for provider in linked}
    links = tuple(
        Choice(
            label,
            link(request, provider=pk or None, provider_name=None, page=None),
            pk == (str(chosen.pk) if chosen else ""),
        )
        for pk, label in options.items()
    )
    return ProviderFilter(chosen, links if len(providers) > 1 or chosen else (), search)

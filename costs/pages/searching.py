"""A search field over a table: the form keeps the rest of the address."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from core.querystate import link


@dataclass(frozen=True)
class Search:
    request: HttpRequest
    text: str
    found: int  # how many rows match

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The other parameters."""
        return [(name, str(value)) for name, value in self.request.GET.items() if name not in {"q", "page", "csv"}]

    @property
    def clear_url(self) -> str:
        return link(self.request, q=None, page=None)

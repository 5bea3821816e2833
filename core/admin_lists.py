"""Limits on the URLs of the Django admin's lists, for every app: only filters and sortings that the pages offer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import IncorrectLookupParameters, ModelAdmin
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

# Longer than any name of a key or a company, and databases have limits to how many words they can look for.
LONGEST_SEARCH = 200

# In digits, as text: the database's integers have one more.
LONGEST_ID = 18


class OfferedChangeList(ChangeList):
    """Only those parameters of an address count that belong to the list's filters, dates and columns.

    Django would hand any field and any lookup to the database: a field that is not shown could be guessed letter by
    letter, and a broken expression is a server error. Any other parameter leads back to the whole list.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        dated = self.date_hierarchy and f"{self.date_hierarchy}__year" in self.filter_params
        try:
            found = super().get_filters(request)
        except (OverflowError, ValueError) as error:  # a year after which there is none
            raise IncorrectLookupParameters(error) from error
        _filters, _any, not_taken, *_rest = found
        if set(not_taken) - ({f"{self.date_hierarchy}__gte", f"{self.date_hierarchy}__lt"} if dated else set()):
            raise IncorrectLookupParameters
        return found

    def get_ordering(self, request: HttpRequest, queryset: Any) -> Any:
        """By no more columns than there are: the same one a thousand times makes a statement too long to run."""
        if len(self.params.get(ORDER_VAR, "").split(".")) > len(self.list_display):
            raise IncorrectLookupParameters
        return super().get_ordering(request, queryset)


if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin


class OfferedOnly(_ModelAdmin):
    """Every ModelAdmin of ours is one."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return OfferedChangeList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        if len(search_term) > LONGEST_SEARCH:
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        chosen = request.POST.getlist("_selected_action")
        if not all(pk.isdecimal() and len(pk) <= LONGEST_ID for pk in chosen):
            raise BadRequest("A row was chosen that no list has.")
        return super().changelist_view(request, extra_context)

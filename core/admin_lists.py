"""What the lists of the Django admin may be asked for, whichever app they are of: what their own pages offer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import IncorrectLookupParameters, ModelAdmin
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

# Of a key's or a company's name nobody types more, and databases have limits to how many words they can look for.
LONGEST_SEARCH = 200

# In digits, as text: the database's integers have one more.
LONGEST_ID = 18


class OfferedChangeList(ChangeList):
    """Of all that stands in an address, only what the list's filters, its dates and its columns understand counts.

    Django would hand any field and any lookup to the database: one that is shown nowhere tells itself letter by letter,
    and a broken expression is an error of ours. Whatever else is asked leads back to the whole list.
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
        """By no more columns than there are: the same one a thousand times makes a statement that nobody can run."""
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

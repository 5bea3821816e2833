"""A provider's page with everything that changed of its days after they had settled."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.paging import CountedRows, paginate
from core.table_csv import PARAMETER, csv_url
from costs.pages.ranges import read_range
from costs.pages.restatements import restatement_table, restatements_csv
from costs.pages.views.downloads import download
from costs.pages.words import words_for
from costs.reports import breakdowns
from providers.models import Provider


@require_safe
def provider_restatements(request: HttpRequest, pk: int) -> HttpResponseBase:
    """All of them, of the range's days; newest first, in pages."""
    today = timezone.now().date()
    provider = get_object_or_404(Provider, pk=pk)
    chosen = read_range(request, today=today)
    of_range = breakdowns.restatements(provider).filter(day__gte=chosen.range.first, day__lte=chosen.range.last)
    if request.GET.get(PARAMETER) == "restatements" and not chosen.error:
        return download(restatements_csv(of_range), name=[provider.name, "restatements"], days=chosen.range)
    page = paginate(request, CountedRows(of_range), of="restatements")
    context = {
        "provider": provider,
        "words": words_for([provider]),
        "chosen": chosen,
        "table": restatement_table(
            page.items,
            breakdowns.model_labels([provider]),
            caption=f"Restatements of {provider.name}, {chosen.range}",
            words=words_for([provider]),
            csv_url=csv_url(request, "restatements"),
            page=page,
        ),
    }
    return render(request, "providers/restatements.html", context, status=chosen.status)

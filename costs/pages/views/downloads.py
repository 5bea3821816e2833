"""Downloads of the cost pages: a table as it is shown, or every usage row of the page's range."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from django.http import HttpRequest, HttpResponseBase

from core.audit import audit_event
from core.days import DateRange
from core.responses import before_sending
from core.table_csv import asked_table, csv_response, file_name, table_csv
from core.tables import Table
from costs.pages.views.scope import Asked


def table_download(
    request: HttpRequest, tables: Mapping[str, Table], asked: Asked, *about: str, always: Collection[str] = ()
) -> HttpResponseBase | None:
    """The table that the URL names as CSV, if it is one of ``tables``; ``about`` says more for the file's name.

    Those of ``always`` are the same for every range. Of a range that can't be used there is no file: the page says why.
    """
    found = asked_table(request, tables)
    if found is None or asked.chosen.error:
        return None
    slug, table = found
    name = [*about, slug, *([asked.provider.name] if asked.provider else [])]
    return download(table_csv(table), name=name, days=None if slug in always else asked.range)


def download(chunks: Iterator[str], *, name: Sequence[str], days: DateRange | None = None) -> HttpResponseBase:
    """As csv_response(); the audit log records the file's name, which says what it holds."""
    response = csv_response(chunks, name=name, days=days)
    before_sending(response, lambda: audit_event("table.exported", file_name(name, days)))
    return response

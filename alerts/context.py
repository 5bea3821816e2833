"""The bell of every page: how many alerts the reader has not read."""

from __future__ import annotations

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from alerts.models import Receipt
from core.prepared import Given

UNREAD = "unread_alerts"


def unread_alerts(request: HttpRequest) -> dict[str, int]:
    return {UNREAD: getattr(request.user, UNREAD, 0)}


def unread_of_reader(now: Given) -> Coalesce:
    """Counted in the query that fetches the reader: it costs no page one of its own."""
    unread = Receipt.objects.unread(now).shown().filter(user=OuterRef("pk")).order_by().values("user")
    counted = Subquery(unread.annotate(number=Count("pk", distinct=True)).values("number"), output_field=IntegerField())
    return Coalesce(counted, 0)

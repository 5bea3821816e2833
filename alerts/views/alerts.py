"""The own list of alerts: what happened, read or not, put off or not."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from alerts.models import Receipt
from alerts.models.alert import ReceiptQuerySet
from core.paging import CountedRows, paginate
from core.querystate import choices

PER_PAGE = 30
SNOOZES = {"day": timedelta(days=1), "week": timedelta(days=7)}


@require_safe
def alert_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    shown, show_choices = choices(request, "show", {"all": "All", "unread": "Unread"})
    receipts = (
        _own(request)
        .select_related("alert__company")
        .prefetch_related("alert__events")
        .order_by("-alert__raised_at", "-pk")
    )
    if shown == "unread":
        receipts = receipts.unread(now)
    page = paginate(request, CountedRows(receipts), of="alerts", size=PER_PAGE)
    context = {
        "page": page,
        "show_choices": show_choices,
        "shows_unread": shown == "unread",
        "has_unread": _own(request).unread(now).exists(),
        "now": now,
    }
    return render(request, "alerts/list.html", context)


@require_POST
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """``unread`` in the form marks it as unread again."""
    receipt = get_object_or_404(_own(request), pk=pk)
    receipt.read_at = None if "unread" in request.POST else timezone.now()
    receipt.snoozed_until = None
    receipt.save(update_fields=["read_at", "snoozed_until"])
    return redirect(f"{reverse('alerts:list')}#alert-{receipt.alert_id}")


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    Receipt.objects.filter(user=request.user.pk, read_at=None).update(read_at=timezone.now(), snoozed_until=None)
    messages.success(request, "All alerts are marked as read.")
    return redirect("alerts:list")


@require_POST
def snooze(request: HttpRequest, pk: int) -> HttpResponse:
    """Unread, but not counted until a day or a week from now."""
    receipt = get_object_or_404(_own(request), pk=pk)
    receipt.read_at = None
    receipt.snoozed_until = timezone.now() + SNOOZES.get(request.POST.get("for", ""), SNOOZES["day"])
    receipt.save(update_fields=["read_at", "snoozed_until"])
    messages.success(request, f"Snoozed until {receipt.snoozed_until:%-d %b %Y, %H:%M} UTC.")
    return redirect(f"{reverse('alerts:list')}#alert-{receipt.alert_id}")


def _own(request: HttpRequest) -> ReceiptQuerySet:
    return Receipt.objects.filter(user=request.user.pk).shown()

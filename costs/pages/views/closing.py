"""Closing a month: what will be frozen, what to know before, and the button."""

from __future__ import annotations

from datetime import date
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from core.months import name_of
from core.wording import count
from costs.pages.views.statements import month_context
from costs.statements.closing import (
    AlreadyClosedError,
    NotClosableError,
    State,
    close_month,
    left_behind_warnings,
    month_statuses,
    unassigned_warnings,
    unpriced_warnings,
)
from providers.models import Provider


@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, month: date) -> HttpResponse:
    now = timezone.now()
    if month > now.date():
        raise Http404
    refusal: tuple[str, ...] = ()
    if request.method == "POST":
        try:
            closed = close_month(month=month, closed_by=cast("User", request.user), now=now)
        except AlreadyClosedError as known:
            messages.warning(request, str(known))
            return redirect("statements:month", month)
        except NotClosableError as refused:
            refusal = refused.reasons
        else:
            number = closed.statements.count()
            done = (
                f"{count(number, 'statement')} {'is' if number == 1 else 'are'} frozen" if number else "nothing to bill"
            )
            messages.success(request, f"{name_of(month)} is closed: {done}.")
            return redirect(closed)
    providers = list(Provider.objects.all())
    (status,) = month_statuses([month], providers=providers, now=now)
    if status.state is State.CLOSED:
        return redirect("statements:month", month)
    context = month_context(status, providers, today=now.date())
    can_close = status.state is State.READY
    context |= {
        "refusal": refusal,
        "warnings": [
            *left_behind_warnings(status, providers),
            *unassigned_warnings(context["unassigned_totals"]),
            *status.warnings,
            *unpriced_warnings(context["sheets"]),
        ]
        if can_close
        else [],
        "can_close": can_close,
    }
    return render(request, "statements/close.html", context, status=422 if refusal else 200)

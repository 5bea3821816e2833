"""Closing a month: what will be frozen, what to know before, and the button."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from core.months import name_of
from core.wording import count
from costs.models import ClosedMonth
from costs.pages.closing_words import (
    final_warnings,
    left_behind_warnings,
    sentences,
    unassigned_warnings,
    unpriced_warnings,
)
from costs.pages.views.statements import month_context, refuse_future
from costs.statements.closing import (
    AlreadyClosedError,
    NotClosableError,
    State,
    close_month,
    left_behind_by,
    month_statuses,
)
from costs.statements.reports import MonthReport, month_report
from providers.models import Provider


@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, month: date) -> HttpResponse:
    now = timezone.now()
    refuse_future(month, now.date())
    refusal: list[str] = []
    if request.method == "POST":
        try:
            closed = close_month(month=month, closed_by=cast("User", request.user), now=now)
        except AlreadyClosedError as known:
            messages.warning(request, " ".join(sentences(known.reasons)))
            return redirect("statements:month", month)
        except NotClosableError as refused:
            refusal = sentences(refused.reasons)
        else:
            messages.success(request, f"{name_of(month)} is closed: {_frozen(closed)}.")
            return redirect(closed)
    providers = list(Provider.objects.all())
    (status,) = month_statuses([month], providers=providers, now=now)
    if status.state is State.CLOSED:
        return redirect("statements:month", month)
    report = month_report(status, providers, today=now.date())
    can_close = status.state is State.READY
    context = month_context(report, providers, today=now.date()) | {
        "refusal": refusal,
        "warnings": _warnings(report, providers) if can_close else [],
        "can_close": can_close,
    }
    return render(request, "statements/close.html", context, status=422 if refusal else 200)


def _frozen(closed: ClosedMonth) -> str:
    number = closed.statements.count()
    return f"{count(number, 'statement')} {'is' if number == 1 else 'are'} frozen" if number else "nothing to bill"


def _warnings(report: MonthReport, providers: Sequence[Provider]) -> list[str]:
    """What to know before the month is closed."""
    return [
        *left_behind_warnings(left_behind_by(report.status, providers), report.month),
        *unassigned_warnings(report.unassigned),
        *final_warnings(report.status),
        *unpriced_warnings(report.sheets, providers),
    ]

"""Health for machines: is the process up, and can it do its work?"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from administrate.models import Heartbeat
from administrate.queue import messages_waiting
from core.database import is_migrated


@login_not_required
@never_cache
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when the database is reachable and migrated, else 503.

    `broker`, `last_beat` (UTC, null: never) and `workers` (how many gave a sign of life lately; null: unknown) are told
    and fail nothing: pages work without them.
    """
    database = "ok"
    work: dict[str, Any] = {"last_beat": None, "workers": None}
    try:
        if is_migrated():
            work = _background_work()
        else:
            database = "not migrated"
    except Error:
        database = "unreachable"
    return JsonResponse(
        {"database": database, "broker": _broker(), **work},
        status=200 if database == "ok" else 503,
    )


def _background_work() -> dict[str, Any]:
    last_beat = Heartbeat.objects.beats().first()
    return {
        "last_beat": last_beat.seen_at.isoformat(timespec="seconds") if last_beat else None,
        "workers": Heartbeat.objects.workers().alive(timezone.now()).count(),
    }


def _broker() -> str:
    if settings.EMBEDDED:
        return "in this process"
    return "unreachable" if messages_waiting() is None else "ok"

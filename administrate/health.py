"""Health for machines: is the process up, and can it do its work?"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError as BrokerError

from administrate.celery import app
from providers.database import is_migrated

BROKER_TIMEOUT = 2


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
    """200 when the database is reachable and migrated, else 503; a missing broker is named and does not fail it."""
    database = _database()
    return JsonResponse(
        {"database": database, "broker": _broker()},
        status=200 if database == "ok" else 503,
    )


def _database() -> str:
    try:
        return "ok" if is_migrated() else "not migrated"
    except Error:
        return "unreachable"


def _broker() -> str:
    if settings.EMBEDDED:
        return "in this process"
    try:
        with app.connection_for_write(connect_timeout=BROKER_TIMEOUT) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_TIMEOUT)
    except (BrokerError, OSError):
        return "unreachable"
    return "ok"

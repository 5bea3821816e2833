"""Settings → About: what runs here, and whether the work in the background goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.addresses import untrusted_forwarder
from administrate import __version__
from administrate.models import Heartbeat
from administrate.queue import messages_waiting, syncs_waiting
from core.cells import status
from core.names import isolated
from core.tables import Column, Row, Table
from core.wording import ago, count, moment
from providers.models import Provider

Status = Provider.Status


@dataclass(frozen=True)
class Sign:
    """How one part of the background work does: ``value`` chooses the icon, ``advice`` says what to do."""

    value: str
    label: str
    advice: str = ""


WORKER_COLUMNS = (
    Column("Worker", is_number=False),
    Column("State", is_number=False, css=""),
    Column("Seen", is_number=False, css=""),
    Column("Version", is_number=False, css=""),
)


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    providers = list(Provider.objects.all())
    statuses = [provider.status(now) for provider in providers]
    synced = [provider.last_synced_at for provider in providers if provider.last_synced_at]
    context = {
        "version": __version__,
        "mode": "Embedded (one process on this machine)" if settings.EMBEDDED else "Production (separate processes)",
        "engine": _engine(),
        "providers": len(providers),
        "last_sync": f"{moment(max(synced))} UTC" if synced else "Not yet",
        "beat": _beat(now),
        "workers": _workers(now),
        "queue": _queue(),
        "forwarder": untrusted_forwarder(request),
        "waiting": syncs_waiting(now),
        "running": statuses.count(Status.SYNCING),
        "late": [provider for provider, status in zip(providers, statuses, strict=True) if status == Status.LATE],
    }
    return render(request, "settings/about.html", context)


def _engine() -> str:
    """ "PostgreSQL 17.2", "SQLite 3.46.1"."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version" if connection.vendor == "postgresql" else "SELECT sqlite_version()")
        number = str(cursor.fetchone()[0]).split()[0]
    return f"{'PostgreSQL' if connection.vendor == 'postgresql' else 'SQLite'} {number}"


def _beat(now: datetime) -> Sign:
    last = Heartbeat.objects.beats().first()
    start = "Restart Administrate." if settings.EMBEDDED else "Start it: celery -A administrate beat"
    advice = f"Until the clock ticks again, nothing syncs by itself. {start}"
    if last is None:
        return Sign("late", "No beat seen yet", advice)
    if not last.is_alive(now):
        return Sign("late", f"Last beat {ago(last.seen_at, now)}", advice)
    return Sign("connected", f"Last beat {ago(last.seen_at, now)}")


def _workers(now: datetime) -> Table:
    return Table(
        "Workers that were seen within a day",
        WORKER_COLUMNS,
        tuple(
            Row(
                (
                    isolated(worker.name),
                    status("connected", "At work") if worker.is_alive(now) else status("late", "Silent"),
                    ago(worker.seen_at, now),
                    worker.version,
                )
            )
            for worker in Heartbeat.objects.workers()
        ),
    )


def _queue() -> Sign:
    if settings.EMBEDDED:
        return Sign("connected", "In this process")
    messages = messages_waiting()
    if messages is None:
        return Sign(
            "failed",
            "Unreachable",
            "Pages work. Syncs wait, and begin by themselves when the queue can be reached again.",
        )
    return Sign("connected", f"Reachable, {count(messages, 'message')}")

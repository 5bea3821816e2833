"""/metrics for Prometheus: how long pages take, and what the database says of syncs, providers and background work.

Pages are measured in the web process – several of gunicorn's add up through PROMETHEUS_MULTIPROC_DIR, which
gunicorn.conf.py sets. All else is read from the database at each request, so that every web process answers the same
and a restart forgets nothing. Runs are those asked for within the last 24 hours.
"""

from __future__ import annotations

import hmac
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from administrate import __version__
from administrate.models import Heartbeat
from administrate.queue import messages_waiting, syncs_waiting
from providers.models import Provider, SyncRun

LATELY = timedelta(hours=24)
QUANTILES = (0.5, 0.95, 1.0)

_own_process = CollectorRegistry()

PAGE_SECONDS = Histogram(
    "administrate_page_seconds",
    "How long pages take, by the name of their URL and the status of the answer.",
    ["page", "status"],
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_own_process,
)


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """404 while no METRICS_TOKEN is set; 401 without it as `Authorization: Bearer …`."""
    if not settings.METRICS_TOKEN:
        raise Http404
    expected = f"Bearer {settings.METRICS_TOKEN}"
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
        return HttpResponse(
            "A token is needed.\n", status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"}
        )
    everything = CollectorRegistry()
    everything.register(FromTheDatabase())
    return HttpResponse(generate_latest(_pages()) + generate_latest(everything), content_type=CONTENT_TYPE_LATEST)


def _pages() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return _own_process
    together = CollectorRegistry()
    multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return together


class FromTheDatabase(Collector):
    """Gauges that are read from rows (and the broker) at each collection."""

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        yield _gauge("build_info", "1; the version stands in its label.", ["version"], [([__version__], 1)])

        providers = list(Provider.objects.all())
        statuses = Counter(str(provider.status(now)) for provider in providers)
        yield _gauge(
            "providers",
            "Providers by status; “late” ones have not been synced for two hours.",
            ["status"],
            [([status], statuses[status]) for status in Provider.Status.values],
        )

        # By provider, as the index goes.
        runs = SyncRun.objects.filter(provider__in=providers, queued_at__gt=now - LATELY)
        yield from _runs(list(runs.exclude(finished_at=None)))
        yield _gauge("syncs_waiting", "Syncs that are wanted and not at work.", [], [([], syncs_waiting(now))])
        messages = messages_waiting()
        if messages is not None:
            yield _gauge("queue_messages", "Messages that no worker has taken yet.", [], [([], messages)])
        yield _gauge("broker_up", "1 while the queue's broker answers.", [], [([], int(messages is not None))])

        last_beat = Heartbeat.objects.beats().first()
        if last_beat:
            yield _gauge(
                "last_beat_timestamp_seconds",
                "When the clock last ticked, in Unix time.",
                [],
                [([], last_beat.seen_at.timestamp())],
            )
        workers = Heartbeat.objects.workers().alive(now).count()
        yield _gauge("workers", "Workers that gave a sign of life within two minutes.", [], [([], workers)])


def _runs(ended: list[SyncRun]) -> Iterator[Metric]:
    outcomes = Counter((run.outcome, run.error_code) for run in ended)
    yield _gauge(
        "sync_runs_24h",
        "Ended syncs by outcome and, where they failed, the code of the reason.",
        ["outcome", "code"],
        [([outcome, code], count) for (outcome, code), count in sorted(outcomes.items())],
    )
    seconds = sorted(run.took.total_seconds() for run in ended if run.took)
    yield _gauge(
        "sync_seconds_24h",
        "How long syncs took: half of them, 95 in 100 and all of them at most so long.",
        ["quantile"],
        [([f"{share:g}"], seconds[math.ceil(share * len(seconds)) - 1]) for share in QUANTILES] if seconds else [],
    )
    yield _gauge(
        "sync_rows_24h",
        "Rows of usage that ended syncs have read, and what became of them.",
        ["kind"],
        [
            ([kind], sum(getattr(run, f"rows_{kind}") for run in ended))
            for kind in ("read", "inserted", "changed", "unchanged")
        ],
    )


def _gauge(name: str, text: str, labels: list[str], samples: Iterable[tuple[list[str], float]]) -> Metric:
    family = GaugeMetricFamily(f"administrate_{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family

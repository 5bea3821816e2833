"""The hourly sync of one workspace, and a round of many workspaces by several workers at once.

Reference: the same workers only fetch the usage, one request a workspace, decode it and forget it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from ssl import SSLContext
from typing import Any

import httpx
from django.db import connections
from django.test import override_settings

from benchmarks.loading import Workspace, connect
from benchmarks.measuring import FORK, memory_mb, recorded_statements, timed
from benchmarks.results import Result
from benchmarks.stand_in import DAYS, StandIn, stand_in
from benchmarks.world import Effort, today
from providers import registry
from providers.models import Provider, SyncRun
from providers.services.queueing import request_sync

WORKERS = 8
REPEATS = 5


def measure(effort: Effort) -> Iterator[Result]:
    connections.close_all()
    with stand_in(today()) as service, override_settings(ELEVENLABS_BASE_URL=service.base_url):
        workspaces = [_connected(f"Syncing {number:03}") for number in range(effort.synced_workspaces)]
        yield _one_hour(workspaces[0], service)
        yield from _round(workspaces, service)


def _connected(name: str) -> Workspace:
    """As connect(), with a history that its first sync reads in one request."""
    workspace = connect(name, 0)
    Provider.objects.filter(pk=workspace.provider.pk).update(history_from=today() - timedelta(days=DAYS - 1))
    return workspace


def _one_hour(workspace: Workspace, service: StandIn) -> Result:
    """The median of several syncs after the first, each of which finds other figures for today."""
    _sync(workspace.provider.pk)
    runs = []
    for _repeat in range(REPEATS):
        asked = service.requests
        with recorded_statements() as statements, timed() as run:
            _sync(workspace.provider.pk)
        in_database = sum(statement.seconds for statement in statements)
        runs.append((run.cpu_seconds, in_database, run.seconds, len(statements), service.requests - asked))
    worker, in_database, wall, queries, requests = sorted(runs)[REPEATS // 2]
    fetching = _fetch_only_cpu_seconds(service)
    return Result(
        "syncing",
        "one workspace, one hour: work of the worker",
        worker * 1000,
        "ms",
        {"fetch only": worker / fetching},
        {
            "rows": service.rows,
            "queries": queries,
            "requests": requests,
            "postgresql_ms": in_database * 1000,
            "wall_ms": wall * 1000,
        },
    )


def _round(workspaces: Sequence[Workspace], service: StandIn) -> Iterator[Result]:
    ids = [workspace.provider.pk for workspace in workspaces]
    workers = min(WORKERS, len(ids))
    _by_workers(_sync, ids, workers)  # the first sync of each makes its keys
    seconds, grown = _by_workers(_sync, ids, workers)
    fetching, _none = _by_workers(lambda _pk: _fetch(service), ids, workers)
    per_minute = len(ids) / seconds * 60
    reference = len(ids) / fetching * 60
    yield Result("syncing", f"reference: fetch only, {workers} workers", reference, "workspaces/min")
    yield Result(
        "syncing",
        f"{len(ids)} workspaces, {workers} workers",
        per_minute,
        "workspaces/min",
        {"fetch only": per_minute / reference},
        {"grown_mb": grown},
    )


def _sync(provider_id: int) -> None:
    """What a worker does for an hourly tick, without the queue."""
    provider = Provider.objects.get(pk=provider_id)
    run = request_sync(provider=provider, trigger=SyncRun.Trigger.HOURLY, now=datetime.now(UTC))
    ended = registry.engine().sync(run.pk, on_progress=lambda _progress: None)
    if ended is None or ended.outcome != SyncRun.Outcome.SUCCEEDED:
        raise RuntimeError(f"A sync did not succeed: {ended and ended.error_text}")


@cache
def _ssl_context() -> SSLContext:
    """Reading the certificates takes longer than the fetching; the product does it once a process as well."""
    return httpx.create_ssl_context()


def _fetch(service: StandIn) -> None:
    with httpx.Client(trust_env=False, verify=_ssl_context()) as client:
        json.loads(client.post(service.usage_url, json={}).content)


def _fetch_only_cpu_seconds(service: StandIn) -> float:
    with timed() as run:
        for _repeat in range(REPEATS):
            _fetch(service)
    return run.cpu_seconds / REPEATS


def _by_workers(work: Callable[[int], None], ids: Sequence[int], workers: int) -> tuple[float, float]:
    """The seconds from when all workers were ready until all was done; the most that a worker's memory grew, in MB."""
    connections.close_all()
    ready, results = FORK.Barrier(workers + 1), FORK.SimpleQueue()
    next_index = FORK.Value("i", 0)
    children = [
        FORK.Process(target=_work, args=(work, ids, next_index, ready, results), daemon=True) for _ in range(workers)
    ]
    for child in children:
        child.start()
    ready.wait(60)
    with timed() as run:
        for child in children:
            child.join()
    if any(child.exitcode for child in children):
        raise RuntimeError("A worker ended with an error, which stands above.")
    return run.seconds, max(results.get() for _ in children)


def _work(work: Callable[[int], None], ids: Sequence[int], next_index: Any, ready: Any, results: Any) -> None:
    ready.wait(60)
    begun_with = None
    while True:
        with next_index.get_lock():
            index, next_index.value = next_index.value, next_index.value + 1
        if index >= len(ids):
            break
        work(ids[index])
        begun_with = begun_with or memory_mb("VmRSS")  # after the first one: what is loaded once was loaded
    connections.close_all()
    results.put(max(0.0, memory_mb("VmRSS") - begun_with) if begun_with else 0.0)

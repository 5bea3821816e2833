"""The property that all of the sync stands on: after anything, one good reading leaves what a fresh backfill gives.

Random sequences of faults, changes of the truth, wrong clocks and interrupted syncs, against the simulated workspace
over a socket. The sequences are the same on every run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elevenlabs_sync import client as client_module
from elevenlabs_sync import provider_type
from elevenlabs_sync.simulator import Agents, Billing, Cost, Credits, Moved
from providers.models import Project, Provider, SyncRun
from providers.models.provider import LEASE
from syncing import windows
from syncing.engine import stopping
from tests.elevenlabs_sync.modes import Simulated, exported_rows, simulated, totals_by_model
from tests.elevenlabs_sync.worlds import Clock
from tests.factories import make_provider
from tests.properties import tried_by_both
from tests.simulation import Edit, drift, faults
from tests.simulation.edits import AddUsage, ChangeCurrency, Hide, Reprice, Restate, Unprice
from tests.simulation.key_edits import AddKey, DeleteKey, DisableKey

pytestmark = pytest.mark.django_db

ANALYTICS = "/v1/workspace/analytics"
IVR = "northwind-ivr"
DAYS = 12
PIECE_DAYS = 7  # instead of a month: two requests, and little to read

STARTS = [
    datetime(2026, 11, 22, 12, 30, tzinfo=UTC),
    datetime(2028, 2, 28, 23, 59, 59, 900_000, tzinfo=UTC),
    datetime(2026, 12, 31, 23, tzinfo=UTC),
]
BILLINGS: list[Callable[[date], Billing]] = [
    lambda _today: Credits(),
    lambda _today: Cost(),
    lambda today: Moved(today - timedelta(days=9)),
    lambda today: Moved(today - timedelta(days=2), end_reaches=True),
]
FAULTS: list[faults.Fault] = [
    faults.ErrorStatus(429, headers={"retry-after": "0"}),
    faults.ErrorStatus(503),
    faults.ErrorStatus(401, code="invalid_api_key"),
    faults.ErrorStatus(403, code="missing_permissions"),
    faults.ErrorStatus(403, message="Your address is not allowed."),
    faults.ErrorStatus(400),
    faults.ErrorStatus(409),
    faults.Html(),
    faults.CutJson(),
    faults.CutConnection(),
    faults.EmptyBody(),
    faults.ConnectionReset(),
    faults.GzipBomb(11_000_000),
    faults.Drip(1),
    drift.without("timestamp"),
    drift.unit("total_cost", "credits"),
    drift.without_rows(),
    drift.with_few_rows(),
    drift.split_rows(),
    drift.millisecond_timestamps(),
]
EDITS: list[Callable[[date], Edit]] = [
    lambda today: Restate(today - timedelta(days=12), today - timedelta(days=8), factor=Decimal("1.31")),
    lambda today: Restate(today - timedelta(days=3), key=IVR, factor=Decimal("0.5")),
    lambda today: Reprice(today - timedelta(days=10), factor=Decimal("1.1")),
    lambda today: Unprice(today - timedelta(days=4), until=today + timedelta(days=1)),
    lambda today: Hide(today - timedelta(days=9), key=IVR, until=today + timedelta(days=2)),
    lambda today: Hide(today - timedelta(days=11), today - timedelta(days=5)),
    lambda _today: Hide(),
    lambda today: AddUsage(
        IVR, today - timedelta(days=11), "late", credits=Decimal(3), requests=1, cost=Decimal("0.1")
    ),
    lambda _today: ChangeCurrency("eur", Decimal("0.9")),
    lambda today: AddKey(f"new-{today:%m%d}", "A new one", today - timedelta(days=2)),
    lambda today: DisableKey("oakfield-hotline", on=today),
    lambda today: DeleteKey("meridian-dispatch", on=today),
]


CHOICES: list[tuple[str, Any]] = [
    ("attributes_by", "agent"),
    ("attributes_by", "key"),
    ("divides_by_person", True),
    ("divides_by_person", False),
    ("allocates_by_conversations", True),
    ("allocates_by_conversations", False),
]


@dataclass(frozen=True)
class Step:
    """What happens before one sync, how the sync is asked for, and how it ends."""

    hours: int  # that pass before
    wrong_hours: int  # by which our clock is wrong for this sync
    to_the_last_instant: bool  # of the day
    fault: faults.Fault | None
    times: int  # that requests meet the fault
    after: int  # so many requests
    largest: int  # answer that is taken, in bytes
    edits: tuple[Callable[[date], Edit], ...]
    undoes: bool  # the oldest edit
    choice: tuple[str, Any] | None  # a setting of the provider from now on
    sync: str
    end: str


STEPS = st.builds(
    Step,
    hours=st.sampled_from([0, 1, 5, 24, 50, 24 * 6]),
    wrong_hours=st.sampled_from([0, 0, 0, 0, 24, -24]),
    to_the_last_instant=st.sampled_from([False, False, False, True]),
    fault=st.none() | st.sampled_from(FAULTS),
    times=st.integers(1, 12),
    after=st.integers(0, 3),
    largest=st.sampled_from([10_000_000, 10_000_000, 10_000_000, 8_000]),
    edits=st.lists(st.sampled_from(EDITS), max_size=2).map(tuple),
    undoes=st.booleans(),
    choice=st.none() | st.sampled_from(CHOICES),
    sync=st.sampled_from(["hourly", "hourly", "nightly", "window", "accept"]),
    end=st.sampled_from(["itself", "itself", "itself", "killed", "interrupted", "taken over"]),
)


@tried_by_both(30)
@given(
    start=st.sampled_from(STARTS),
    billing=st.sampled_from(BILLINGS),
    agents=st.sampled_from([Agents.NONE, Agents.TOLD, Agents.TOLD, Agents.UNTOLD]),
    steps=st.lists(STEPS, min_size=1, max_size=5),
)
def test_after_anything_one_good_reading_leaves_what_a_fresh_backfill_gives(
    start: datetime, billing: Callable[[date], Billing], agents: Agents, steps: list[Step]
) -> None:
    """Every row of the export, unknowns included, and each key's days of use; rows of zeros do not count.

    However usage is divided between agents, the totals of each day and model are the workspace's.
    """
    first_day = start.date() - timedelta(days=DAYS)
    with (
        patch.object(windows, "PIECE_DAYS", PIECE_DAYS),
        simulated(first_day=first_day, now=start, billing=billing(start.date()), agents=agents) as here,
    ):
        for step in steps:
            take(here, step)
        here.server.faults.clear()
        here.clock = here.server_clock
        here.clock.move(hours=1)

        read_everything(here)
        fresh = fresh_backfill(here)

        # What conversations told of a day is not asked again, though the day's usage was restated since.
        if not fresh.allocates_by_conversations:
            assert exported_rows(here.provider) == exported_rows(fresh)
            assert days_of_use(here.provider) == days_of_use(fresh)
        assert totals_by_model(exported_rows(here.provider)) == totals_by_model(here.expected)
        assert totals_by_model(exported_rows(fresh)) == totals_by_model(here.expected)
        if agents is Agents.NONE:
            assert exported_rows(fresh) == here.expected
        Provider.objects.all().delete()


def read_everything(here: Simulated) -> None:
    """The one good reading, by hand; what it holds back a person accepts."""
    window = {"requested_from": here.first_day, "requested_to": here.clock().date()}
    run = here.sync(trigger=SyncRun.Trigger.MANUAL, **window)
    if run.outcome == SyncRun.Outcome.NEEDS_LOOK or run.error_code == "worker_lost":
        run = here.sync(trigger=SyncRun.Trigger.MANUAL, accepts_implausible=True, **window)
    assert run.outcome == SyncRun.Outcome.SUCCEEDED, run.error_text


def fresh_backfill(here: Simulated) -> Provider:
    """A provider that has never seen anything but this good day."""
    known = here.provider
    known.refresh_from_db()
    here.provider = make_provider(
        api_key=known.api_key.reveal(),
        history_from=here.first_day,
        last_synced_at=None,
        currency="",
        **{name: getattr(known, name) for name, _value in CHOICES},
    )
    try:
        assert here.sync().outcome == SyncRun.Outcome.SUCCEEDED
        return here.provider
    finally:
        here.provider = known


def days_of_use(provider: Provider) -> dict[str, tuple[date | None, date | None]]:
    return {
        project.external_id: (project.first_used_on, project.last_used_on)
        for project in Project.objects.for_provider(provider)
        if project.first_used_on
    }


class _KilledError(BaseException):
    pass


def take(here: Simulated, step: Step) -> None:
    """One step, after which nothing needs to be right."""
    change(here, step)
    here.clock = Clock(here.server_clock() + timedelta(hours=step.wrong_hours))
    run = wanted_run(here, step.sync)
    if step.choice is not None:
        name, value = step.choice
        Provider.objects.filter(pk=here.provider.pk).update(**{name: value})

    def on_progress(progress: Any) -> None:
        if not progress.days_done:
            return
        if step.end == "killed":
            raise _KilledError
        if step.end == "interrupted":
            stopping.set()
        if step.end == "taken over":
            Provider.objects.filter(pk=here.provider.pk).update(
                claimed_by="somebody else", claimed_until=here.clock() + LEASE
            )

    try:
        with answers(step):
            here.carry_out(run, on_progress=on_progress)
    except _KilledError:
        # Nobody is left to give the claim back.
        Provider.objects.filter(pk=here.provider.pk).update(claimed_by="the dead", claimed_until=here.clock() + LEASE)
    finally:
        stopping.clear()


def change(here: Simulated, step: Step) -> None:
    here.server_clock.move(hours=step.hours)
    if step.to_the_last_instant:
        here.server_clock.now = here.server_clock().replace(hour=23, minute=59, second=59, microsecond=900_000)
    if step.undoes and len(here.edits):
        here.edits.remove(next(iter(here.edits)))
    for edit in step.edits:
        made = edit(here.server_clock().date())
        if made not in list(here.edits):
            here.edit(made)
    here.server.faults.clear()
    if step.fault is not None:
        here.server.faults.add(ANALYTICS, step.fault, times=step.times, after=step.after)


def wanted_run(here: Simulated, sync: str) -> SyncRun:
    today = here.clock().date()
    match sync:
        case "nightly":
            return here.run(
                trigger=SyncRun.Trigger.NIGHTLY, requested_from=today - timedelta(days=DAYS), requested_to=today
            )
        case "window":
            return here.run(
                trigger=SyncRun.Trigger.MANUAL,
                requested_from=today - timedelta(days=10),
                requested_to=today - timedelta(days=3),
            )
        case "accept":
            return here.run(
                trigger=SyncRun.Trigger.MANUAL,
                requested_from=here.first_day,
                requested_to=max(today, here.first_day),
                accepts_implausible=True,
            )
    return here.run()


@contextmanager
def answers(step: Step) -> Iterator[None]:
    """Small caps, so that few answers are too large and none is waited for long."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(client_module, "MAX_ANSWER_BYTES", step.largest))
        if isinstance(step.fault, faults.Drip):
            hasty = partial(provider_type.open_client, deadline=0.2)
            stack.enter_context(patch.object(provider_type, "open_client", hasty))
        yield

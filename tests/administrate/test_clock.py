"""The clock's schedule lies in no file, and nothing is missed by a restart."""

from __future__ import annotations

import pickle
import shelve
from pathlib import Path
from typing import Any

import pytest
from celery.beat import EmbeddedService
from celery.utils.imports import symbol_by_name

from administrate.celery import app
from administrate.clock import MemoryScheduler

OURS = {"sync-every-hour", "re-sync-every-night", "sweep", "clean-up-every-night"}


class Planted:
    """Runs code as whoever unpickles it."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (pytest.fail, ("a planted schedule was unpickled",))


def test_both_forms_use_the_schedule_in_memory() -> None:
    """The clock of its own process by the setting, the one in the product's process likewise."""
    embedded: Any = EmbeddedService(app, thread=True, scheduler_cls=app.conf.beat_scheduler)

    assert symbol_by_name(app.conf.beat_scheduler) is MemoryScheduler
    assert isinstance(embedded.service.scheduler, MemoryScheduler)


def test_a_planted_schedule_is_never_opened(tmp_path: Path) -> None:
    """Whatever lies where Celery would keep it, also when somebody names the place."""
    planted = str(tmp_path / "beat-schedule")
    with shelve.open(planted) as shelf:  # noqa: S301 - ours
        shelf["entries"] = Planted()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert any(pickle.dumps(Planted()) in content for content in before.values())

    MemoryScheduler(app=app, schedule_filename=planted)

    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_everything_is_due_when_the_clock_starts() -> None:
    """What a restart at the full hour would have missed is made up for at once, and then waits for its time."""
    scheduler = MemoryScheduler(app=app)

    due = {name for name, entry in scheduler.schedule.items() if entry.is_due()[0]}
    for entry in list(scheduler.schedule.values()):
        scheduler.reserve(entry)

    assert due >= OURS
    assert not [name for name, entry in scheduler.schedule.items() if name in OURS and entry.is_due()[0]]

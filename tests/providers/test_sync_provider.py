"""manage.py sync_provider"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from costs.models import DailyUsage
from elevenlabs_sync.simulator.routes import USAGE_PATH
from providers.models import Provider, SyncRun
from tests.claims import take_claim
from tests.elevenlabs_sync.worlds import World, stored_usage, world
from tests.factories import make_provider, make_run
from tests.providers.commands import ran, refused, run
from tests.simulation import faults

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

TODAY = datetime.now(UTC).date()


@pytest.fixture
def here() -> Iterator[World]:
    """A workspace with five days of usage up to the real today, which is what the command goes by."""
    now = timezone.now()
    with world(first_day=now.date() - timedelta(days=4), now=now) as made:
        Provider.objects.update(name="Production")
        made.provider.refresh_from_db()
        yield made


def test_rows_are_reported(here: World) -> None:
    """What was read, inserted, changed and left as it was."""
    output = ran("sync_provider", "production")

    count = len(here.truth)
    assert output == f"Production: {count} rows read, {count} inserted, 0 changed, 0 unchanged\n"
    assert here.stored == here.truth


def test_second_sync_changes_nothing(here: World) -> None:
    """The same figures again are all unchanged."""
    ran("sync_provider", "Production")

    count = len(here.truth)
    assert ran("sync_provider", "Production").endswith(f"{count} rows read, 0 inserted, 0 changed, {count} unchanged\n")


def test_queued_backfill_is_what_runs(here: World) -> None:
    """The initial sync that waits for a worker is carried out, not doubled."""
    queued = here.run(trigger=SyncRun.Trigger.CONNECT)

    ran("sync_provider", "Production")

    assert SyncRun.objects.get() == queued


def test_named_days_are_read(here: World) -> None:
    """Both ends of the window belong to it."""
    first, last = TODAY - timedelta(days=3), TODAY - timedelta(days=2)

    ran("sync_provider", "Production", "--from", first.isoformat(), "--to", last.isoformat())

    assert {day for _key, day, _model in here.stored} == {first, last}


def test_window_without_an_end_reaches_today(here: World) -> None:
    """--from alone is up to today."""
    ran("sync_provider", "Production", "--from", (TODAY - timedelta(days=1)).isoformat())

    found = SyncRun.objects.get()
    assert (found.window_from, found.window_to) == (TODAY - timedelta(days=1), TODAY)
    assert here.stored


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "required"),
        (["Production", "--all"], "not allowed with"),
        (["Nobody"], "no provider named “Nobody”"),
        (["a\udcff"], "characters"),
        (["Production", "--to", TODAY.isoformat()], "--to needs --from"),
        (["Production", "--from", "2019-12-31"], "must not be before 2020-01-01"),
        (["Production", "--from", "x"], "is not a date"),
        (["Production", "--from", "2026-02-30"], "is not a date"),
        (["Production", "--from", "2026-01-02", "--to", "2026-01-01"], "must not be after --to"),
        (["Production", "--from", "2026-01-02", "--to", "9999-12-31"], "must not be after today"),
    ],
    ids=str,
)
def test_bad_input_is_refused(here: World, options: list[str], words: str) -> None:
    """One line on standard error, exit code 2, nothing queued, nothing asked."""
    assert words in refused("sync_provider", *options, code=2)
    assert SyncRun.objects.count() == 0
    assert here.server.requests == []


def test_failed_sync_is_exit_code_1(here: World) -> None:
    """The reason stands on standard error; what was read on standard output."""
    here.server.keys.clear()

    code, out, err = run("sync_provider", "Production")

    assert code == 1
    assert out == "Production: 0 rows read, 0 inserted, 0 changed, 0 unchanged\n"
    assert "Error: Production: ElevenLabs did not accept the API key" in err
    assert "Traceback" not in err


def test_answer_that_needs_a_look_is_exit_code_1(here: World) -> None:
    """A held answer is no success."""
    ran("sync_provider", "Production")
    here.server.faults.add(USAGE_PATH, faults.Transform(lambda document: document | {"rows": []}))

    code, _out, err = run("sync_provider", "Production")

    assert code == 1
    assert "were kept" in err
    assert here.stored == here.truth


@pytest.mark.parametrize("window", [[], ["--from", TODAY.isoformat()]])
def test_provider_that_somebody_else_syncs_is_left_alone(here: World, window: list[str]) -> None:
    """The command says so, and leaves no run that nobody asked for."""
    take_claim(provider=here.provider, owner="somebody else", now=timezone.now())

    error = refused("sync_provider", "Production", *window, code=1)

    assert "Production is being synced by another process" in error
    assert SyncRun.objects.filter(requested_from__isnull=False).count() == 0
    assert here.server.requests == []


def test_all_providers_but_paused_ones_are_synced(here: World) -> None:
    """--all leaves out who is paused."""
    make_provider(name="Paused", paused_at=timezone.now())

    output = ran("sync_provider", "--all")

    assert output.startswith("Production: ")
    assert len(output.splitlines()) == 1
    assert here.stored == here.truth


def test_all_of_none_is_fine() -> None:
    """Nothing to do is no failure."""
    assert ran("sync_provider", "--all") == ""


def test_failing_provider_does_not_stop_the_others(here: World) -> None:
    """Every provider is tried; the exit code and standard error tell of those that failed."""
    make_provider(name="A refused one", api_key="sk_" + "0" * 48)
    make_provider(name="Z refused one", api_key="sk_" + "9" * 48)

    code, out, err = run("sync_provider", "--all")

    assert code == 1
    assert [line.split(":")[0] for line in out.splitlines()] == ["A refused one", "Production", "Z refused one"]
    errors = [line for line in err.splitlines() if line.startswith("Error: ")]
    assert [line.split(": ")[1] for line in errors] == ["A refused one", "Z refused one"]
    assert stored_usage(here.provider) == here.truth


def test_error_of_our_own_does_not_stop_the_others(here: World) -> None:
    """Not even a provider that breaks the code keeps the others from their sync."""
    make_provider(name="A broken one", region="nowhere")

    code, _out, err = run("sync_provider", "--all")

    assert code == 1
    assert "Error: A broken one: An error in Administrate itself ended the sync." in err
    assert stored_usage(here.provider) == here.truth


def test_paused_provider_is_synced_when_it_is_named(here: World) -> None:
    """A person who names it wants it."""
    Provider.objects.update(paused_at=timezone.now())

    ran("sync_provider", "Production")

    assert DailyUsage.objects.exists()


def test_run_of_a_lost_worker_is_told(here: World) -> None:
    """A run that has killed its workers ends with that reason."""
    make_run(provider=here.provider, attempts=3)

    code, _out, err = run("sync_provider", "Production")

    assert code == 1
    assert "The worker ended in the middle of this sync 3 times" in err

"""What breaks on the way of one sync, over a real socket, with the waits made short."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from django.test import override_settings

from core.secrets import ApiKey
from elevenlabs_sync import provider_type
from elevenlabs_sync.simulator import SIMULATED_API_KEY, USAGE_ONLY_API_KEY
from elevenlabs_sync.simulator.routes import USAGE_PATH
from providers.models import SyncRun
from providers.services.managing import OtherWorkspaceError, UnconfirmedWorkspaceError, replace_key
from syncing.retrying import RetryPolicy
from tests.elevenlabs_sync.modes import Simulated, simulated
from tests.elevenlabs_sync.worlds import NOW, Clock
from tests.simulation import EditedWorkspace, FaultySimulator, faults
from tests.simulation.edits import Hide

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
OTHER_KEY = "sk_" + "ab12" * 12


@pytest.fixture
def here() -> Iterator[Simulated]:
    """A synced workspace."""
    with simulated(first_day=TODAY - timedelta(days=9)) as made:
        made.sync()
        made.server.recording.clear()
        yield made


def test_absurd_wait_is_cut_and_then_given_up(here: Simulated) -> None:
    """Told to wait for a day: one more attempt after the cap, then the run fails as limited and is due again."""
    here.server.faults.add(USAGE_PATH, faults.ErrorStatus(429, headers={"Retry-After": "86400"}), times=None)

    run = here.carry_out(here.run(), policy=RetryPolicy(longest_wait=0.05))

    assert run is not None
    assert (run.outcome, run.error_code) == (SyncRun.Outcome.FAILED, "rate_limited")
    assert len(here.asked()) == 2
    here.server.faults.clear()
    here.sync()
    assert here.exported == here.expected


def test_dripping_answer_costs_a_repetition(here: Simulated, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended at the deadline of the whole request, asked for again, exact."""
    monkeypatch.setattr(provider_type, "open_client", partial(provider_type.open_client, deadline=0.5))
    here.server.faults.add(USAGE_PATH, faults.Drip(0.05))

    assert here.sync().outcome == SyncRun.Outcome.SUCCEEDED
    assert len(here.asked()) == 2
    assert here.exported == here.expected


@pytest.mark.parametrize(
    "fault",
    [
        faults.CutJson(),
        faults.Html(200),
        faults.ContentType("text/plain"),
        faults.EmptyBody(),
        faults.Redirect("http://127.0.0.1:1/"),
    ],
    ids=["cut", "HTML", "content type", "empty", "redirect"],
)
def test_answer_that_is_no_document_changes_nothing(here: Simulated, fault: faults.Fault) -> None:
    """Not asked for again, refused with the reason; the next good answer is exact."""
    before = here.exported
    here.clock.move(hours=24)
    here.server.faults.add(USAGE_PATH, fault)

    run = here.sync()

    assert (run.outcome, run.error_code) == (SyncRun.Outcome.FAILED, "unexpected_response")
    assert len(here.asked()) == 1
    assert here.exported == before
    here.sync()
    assert here.exported == here.expected


@pytest.mark.parametrize("jump", [-24, 24])
def test_wrong_clock_leaves_no_gap_and_no_double(here: Simulated, jump: int) -> None:
    """With our clock a day off for a few hours, the next right hour has the truth."""
    for _hour in range(3):
        here.server_clock.move(hours=7)
        here.clock = Clock(here.server_clock() + timedelta(hours=jump))
        here.sync()
    here.clock = here.server_clock

    here.clock.move(hours=1)
    here.sync()

    assert here.exported == here.expected


def test_key_of_another_workspace_is_refused_as_a_replacement(here: Simulated) -> None:
    """None of the keys that it shows in use is known: even a person's confirmation does not mix two workspaces."""
    before = here.exported
    other = EditedWorkspace(TODAY, history_days=9, seed="another agency")
    with (
        FaultySimulator(other, keys={OTHER_KEY: here.server.keys[SIMULATED_API_KEY]}) as elsewhere,
        override_settings(ELEVENLABS_BASE_URL=elsewhere.base_url),
        pytest.raises(OtherWorkspaceError),
    ):
        replace_key(provider=here.provider, api_key=ApiKey(OTHER_KEY), now=NOW, confirmed_same_workspace=True)

    here.provider.refresh_from_db()
    assert here.provider.api_key.reveal() == SIMULATED_API_KEY
    here.sync()
    assert here.exported == before


def test_key_that_shows_no_workspace_must_be_confirmed(here: Simulated) -> None:
    """With no usage and no listing to compare, a person decides."""
    here.server.keys[OTHER_KEY] = here.server.keys[USAGE_ONLY_API_KEY]
    everything = Hide()
    here.edit(everything)

    with pytest.raises(UnconfirmedWorkspaceError):
        replace_key(provider=here.provider, api_key=ApiKey(OTHER_KEY), now=NOW)
    run = replace_key(provider=here.provider, api_key=ApiKey(OTHER_KEY), now=NOW, confirmed_same_workspace=True)

    here.edits.remove(everything)
    here.carry_out(run)
    assert here.exported == here.expected

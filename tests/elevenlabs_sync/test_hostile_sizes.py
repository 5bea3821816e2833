"""Answers in which something is larger than it can be: bounded, said in a sentence, and nothing stored half."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from unittest.mock import patch

import pytest

from elevenlabs_sync.payloads import read_models, read_service_accounts, read_subscription, read_usage
from elevenlabs_sync.simulator.routes import MODELS_PATH, SERVICE_ACCOUNTS_PATH, USAGE_PATH
from providers.models import Project, SyncRun
from syncing import storing
from syncing.errors import UnexpectedResponseError
from tests.elevenlabs_sync.modes import TODAY, simulated
from tests.elevenlabs_sync.tables import answer, cells
from tests.simulation import drift, faults

DAY = date(2026, 9, 20)
ENDLESS = "m" * 9_000_000
KEYS = {"service-accounts": [{"api-keys": [{"hashed_xi_api_key": f"{number:064x}"} for number in range(100_000)]}]}


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda: read_usage(answer([cells(model=ENDLESS)]), first=DAY, last=DAY), "column model holds an id of more"),
        (
            lambda: read_usage(answer([cells(hashed_xi_api_key=ENDLESS)]), first=DAY, last=DAY),
            "column hashed_xi_api_key",
        ),
        (lambda: read_usage({"columns": [ENDLESS] * 2}, first=DAY, last=DAY), "not a list of different names"),
        (
            lambda: read_service_accounts({"service-accounts": [{"api-keys": [{"hashed_xi_api_key": ENDLESS}]}]}),
            "field hashed_xi_api_key",
        ),
    ],
    ids=["model", "key", "column", "listed key"],
)
def test_id_of_megabytes_is_refused_in_a_sentence(read: Callable[[], object], said: str) -> None:
    """An id is never cut; the sentence does not repeat it."""
    with pytest.raises(UnexpectedResponseError, match=said) as refusal:
        read()

    assert len(str(refusal.value)) < 400


def test_name_of_megabytes_is_cut() -> None:
    """It identifies nothing."""
    [row] = read_usage(answer([cells(api_key_name=ENDLESS)]), first=DAY, last=DAY)

    assert row.key_name == "m" * 200


def test_model_whose_id_no_usage_can_have_gets_no_name() -> None:
    """What can't be joined is not stored."""
    assert read_models([{"model_id": ENDLESS, "name": "x"}, {"model_id": "m", "name": ENDLESS}]) == {"m": "m" * 200}


@pytest.mark.parametrize("amount", ["1e26", "1e999999", "9" * 30, "NaN", "Infinity", "twelve", "", None, {}])
def test_overage_that_can_not_be_is_left_out(amount: Any) -> None:
    """The plan is shown without it."""
    found = read_subscription({"tier": "scale", "current_overage": {"amount": amount, "currency": "usd"}})

    assert (found["name"], found["overage"]) == ("scale", None)


@pytest.mark.parametrize("count", [10**15, 10**400, -1, True, "7"])
def test_count_that_can_not_be_is_left_out(count: Any) -> None:
    """As the overage."""
    names = ("character_count", "character_limit", "next_character_count_reset_unix")

    found = read_subscription(dict.fromkeys(names, count))

    assert [found[name] for name in ("used", "included", "resets_at")] == [None] * 3


@pytest.mark.django_db
def test_listing_of_100_000_keys_is_not_taken_over_and_usage_is() -> None:
    """Nothing of it is stored, the history says so, and every key that is used is there."""
    with simulated(first_day=TODAY) as here:
        here.server.faults.add(SERVICE_ACCOUNTS_PATH, faults.Transform(lambda _document: KEYS))

        run = here.sync()

        assert here.exported == here.expected
    assert run.outcome == SyncRun.Outcome.SUCCEEDED
    assert run.notes[0].startswith("ElevenLabs lists 100,000 API keys, more than 10,000. The list was not taken over")
    assert not Project.objects.exclude(listed_at=None).exists()


@pytest.mark.django_db
def test_longest_list_of_keys_is_taken_over() -> None:
    """One more would not be."""
    with (
        simulated(first_day=TODAY) as here,
        patch.object(storing, "MAX_LISTED_KEYS", len(here.workspace.listed_keys())),
    ):
        run = here.sync()

        assert (run.keys_found, run.notes) == (len(here.workspace.listed_keys()), [])


@pytest.mark.django_db
def test_list_of_too_many_models_leaves_their_ids() -> None:
    """Every page that names a model reads the list."""
    models = [{"model_id": f"model_{number}", "name": "x"} for number in range(1_001)]
    with simulated(first_day=TODAY) as here:
        here.server.faults.add(MODELS_PATH, faults.Transform(lambda _document: models))

        run = here.sync()

    assert run.notes == ["ElevenLabs lists 1,001 models, more than 1,000. Their ids are shown."]
    here.provider.refresh_from_db()
    assert here.provider.model_names == {}


@pytest.mark.django_db
def test_model_id_of_megabytes_ends_the_sync_with_a_short_sentence_and_excerpt() -> None:
    """No row of its window is stored."""
    with simulated(first_day=TODAY) as here:
        here.server.faults.add(USAGE_PATH, drift.cells("model", ENDLESS, 0), times=None)

        run = here.sync()

    assert (run.outcome, here.exported) == (SyncRun.Outcome.FAILED, {})
    assert "column model holds an id of more than 200 characters" in run.error_text
    assert len(run.error_text) < 300
    assert len(run.excerpt) <= 200

"""What the engine does with any provider type: it stores what a reader tells and knows nothing else of the provider."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from costs.models import DailyUsage
from costs.usage.estimates import set_credit_rate
from providers.models import Project, Provider, SyncRun
from providers.registry import Progress
from providers.services.queueing import request_sync
from syncing.engine import run_sync
from syncing.errors import (
    InvalidKeyError,
    MissingPermissionError,
    ProviderError,
    RateLimitedError,
    RejectedError,
    UnavailableError,
    UnexpectedResponseError,
)
from syncing.retrying import RetryPolicy
from tests.conftest import FakeType
from tests.factories import NOW, TODAY, make_provider
from tests.fake_reader import FakeReader, listed_key, usage_row

pytestmark = pytest.mark.django_db

SUCCEEDED, FAILED = SyncRun.Outcome.SUCCEEDED, SyncRun.Outcome.FAILED
AT_ONCE = RetryPolicy(attempts=3, first_wait=0)


@pytest.fixture
def provider() -> Provider:
    return make_provider(history_from=TODAY, currency="")


def sync(provider: Provider, reader: FakeReader, fake: FakeType, **window: Any) -> SyncRun:
    """A run of what is due, or of a named window, read from ``reader``."""
    fake.reader = reader
    run = request_sync(provider=provider, trigger=SyncRun.Trigger.MANUAL, now=NOW, **window)
    ended = run_sync(run.pk, clock=lambda: NOW, policy=AT_ONCE)
    assert ended is not None
    provider.refresh_from_db()
    return ended


# --- Account ----------------------------------------------------------------------------------------------------------


def test_plan_and_its_currency_are_stored(provider: Provider, elevenlabs: FakeType) -> None:
    """As the reader tells them, with the moment."""
    sync(provider, FakeReader(told_plan={"name": "small", "currency": "eur"}), elevenlabs)

    assert provider.subscription == {"name": "small", "currency": "eur"}
    assert (provider.currency, provider.subscription_read_at) == ("eur", NOW)


def test_listed_keys_become_projects(provider: Provider, elevenlabs: FakeType) -> None:
    """Used or not."""
    run = sync(provider, FakeReader(told_keys=[listed_key("key-1"), listed_key("key-2")]), elevenlabs)

    assert set(Project.objects.values_list("external_id", "name")) == {("key-1", "Key-1"), ("key-2", "Key-2")}
    assert run.keys_found == 2


def test_model_names_are_stored(provider: Provider, elevenlabs: FakeType) -> None:
    """By the ids that usage names."""
    sync(provider, FakeReader(told_names={"small": "Small 1"}), elevenlabs)

    assert provider.model_names == {"small": "Small 1"}


def test_provider_that_tells_usage_alone_is_synced(provider: Provider, elevenlabs: FakeType) -> None:
    """No plan, no list, no names: nothing of it is made up."""
    run = sync(provider, FakeReader(), elevenlabs)

    assert (run.outcome, run.keys_found) == (SUCCEEDED, None)
    assert (provider.subscription, provider.model_names) == (None, {})


@pytest.mark.parametrize("refusal", [MissingPermissionError("plan_read"), RejectedError(404, "Not here.")], ids=repr)
def test_part_that_the_key_may_not_read_is_left_out(
    provider: Provider, elevenlabs: FakeType, refusal: ProviderError
) -> None:
    """The others are read."""
    run = sync(provider, FakeReader(told_plan=refusal, told_keys=[listed_key("key-1")]), elevenlabs)

    assert (run.outcome, run.keys_found, provider.subscription) == (SUCCEEDED, 1, None)


@pytest.mark.parametrize("error", [RateLimitedError(), UnavailableError("no connection"), InvalidKeyError()], ids=repr)
def test_account_that_does_not_answer_is_left_to_the_next_sync(
    provider: Provider, elevenlabs: FakeType, error: ProviderError
) -> None:
    """The reading of usage decides whether the sync has failed."""
    run = sync(provider, FakeReader(told_keys=error, rows=[usage_row(TODAY)]), elevenlabs)

    assert (run.outcome, run.rows_inserted) == (SUCCEEDED, 1)


# --- Usage ------------------------------------------------------------------------------------------------------------


def test_usage_is_stored_under_its_key(provider: Provider, elevenlabs: FakeType) -> None:
    """A key that no list has named becomes a project by its use; what is not reported stays unknown."""
    sync(provider, FakeReader(rows=[usage_row(TODAY, requests=3)]), elevenlabs)

    row = DailyUsage.objects.get()
    assert (row.project.external_id, row.project.name, row.day, row.model) == ("key-1", "Support line", TODAY, "small")
    assert (row.credits, row.minutes, row.requests, row.cost) == (Decimal(1000), None, 3, None)


def test_currency_is_learnt_from_usage_where_no_plan_tells_it(provider: Provider, elevenlabs: FakeType) -> None:
    """The pages' zeros need one."""
    sync(provider, FakeReader(rows=[usage_row(TODAY, cost=Decimal("1.5"), currency="eur")]), elevenlabs)

    assert provider.currency == "eur"


def test_first_day_billed_by_cost_is_remembered(provider: Provider, elevenlabs: FakeType) -> None:
    """As the latest reading says."""
    sync(provider, FakeReader(cost_from=TODAY), elevenlabs)

    assert provider.cost_from == TODAY


def test_unread_columns_are_remarked_on_once(provider: Provider, elevenlabs: FakeType) -> None:
    """In the name of the provider type."""
    elevenlabs.label = "Example"
    reader = FakeReader(unread_columns=frozenset({"carbon"}))

    first, second = sync(provider, reader, elevenlabs), sync(provider, reader, elevenlabs)

    assert first.notes == ["Example's answer has columns that are not read: carbon."]
    assert second.notes == []


def test_request_goes_on_after_a_failure_that_passes(provider: Provider, elevenlabs: FakeType) -> None:
    """The session repeats what a reader asks through it."""
    reader = FakeReader(rows=[usage_row(TODAY)], errors=[UnavailableError("HTTP 503"), RateLimitedError()])

    run = sync(provider, reader, elevenlabs)

    assert (run.outcome, run.rows_inserted, len(reader.windows)) == (SUCCEEDED, 1, 3)


@pytest.mark.parametrize("after_days", [0, 30], ids=["before any usage", "between two windows"])
def test_credit_rate_set_during_a_sync_holds_for_all_of_its_usage(
    provider: Provider, elevenlabs: FakeType, after_days: int
) -> None:
    """What was written before is rewritten, what comes after is written at the new rate."""
    first_day = TODAY - timedelta(days=33)
    Provider.objects.update(history_from=first_day, credit_rate=Decimal(7), credit_rate_currency="usd")
    elevenlabs.reader = FakeReader(rows=[usage_row(first_day), usage_row(TODAY)])
    run = request_sync(provider=provider, trigger=SyncRun.Trigger.MANUAL, now=NOW)

    def change_rate(progress: Progress) -> None:
        if progress.days_done == after_days:
            set_credit_rate(provider=Provider.objects.get(), rate=Decimal("0.3"), currency="eur", now=NOW)

    run_sync(run.pk, clock=lambda: NOW, on_progress=change_rate)

    costs = DailyUsage.objects.order_by("day").values_list("day", "cost", "currency", "estimated")
    assert list(costs) == [(first_day, Decimal("0.3"), "eur", True), (TODAY, Decimal("0.3"), "eur", True)]


@pytest.mark.parametrize(
    ("window", "rechecks"),
    [({}, False), ({"requested_from": TODAY - timedelta(days=2), "requested_to": TODAY}, True)],
    ids=["due", "named"],
)
def test_what_was_learnt_is_checked_again_for_a_named_window(
    provider: Provider, elevenlabs: FakeType, window: dict[str, Any], *, rechecks: bool
) -> None:
    """By night or by hand; the hour's sync trusts it."""
    reader = FakeReader()

    sync(provider, reader, elevenlabs, **window)

    assert reader.session is not None
    assert reader.session.rechecks is rechecks


# --- Failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [InvalidKeyError(), RejectedError(400, "Bad window.")], ids=repr)
def test_failure_is_told_in_the_words_of_the_provider_type(
    provider: Provider, elevenlabs: FakeType, error: ProviderError
) -> None:
    """In the history and at the provider, with the error's code."""
    run = sync(provider, FakeReader(errors=[error]), elevenlabs)

    assert (run.outcome, run.error_code, run.error_text) == (FAILED, error.code, f"ElevenLabs said {error.code}.")
    assert (provider.failure_code, provider.failure_text) == (error.code, run.error_text)


def test_answer_that_can_not_be_understood_leaves_its_beginning(provider: Provider, elevenlabs: FakeType) -> None:
    """Somebody has to see what has changed."""
    reader = FakeReader(errors=[UnexpectedResponseError("it is not JSON")], excerpt="<html>")

    run = sync(provider, reader, elevenlabs)

    assert (run.error_code, run.excerpt) == ("unexpected_response", "<html>")


def test_provider_whose_type_is_not_installed_is_left_alone() -> None:
    """The run stays as it is, until the type is back."""
    provider = make_provider(type="uninstalled")
    run = request_sync(provider=provider, trigger=SyncRun.Trigger.MANUAL, now=NOW)

    with pytest.raises(KeyError):
        run_sync(run.pk)

    run.refresh_from_db()
    assert (run.is_finished, run.attempts, Provider.objects.get().claimed_by) == (False, 0, "")

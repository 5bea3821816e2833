"""What the provider's page says besides figures: its keys' state, its reconciliation, its notes – and what it costs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from costs.models import Restatement
from providers.models import Provider
from providers.services.managing import disconnect_provider
from tests.conftest import FakeType
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_run,
    make_usage,
)
from tests.pages import cells, printed, text_of

pytestmark = pytest.mark.any_engine


SNAPSHOT = {
    "name": "scale",
    "status": "active",
    "used": 412_000,
    "included": 500_000,
    "resets_at": "2026-12-01T00:00:00+00:00",
    "period_months": 1,
    "next_invoice": {"amount": "99.01", "currency": "usd"},
}


def page_of(client: Client, provider: Provider, query: str = "") -> str:
    return text_of(client.get(f"{provider.get_absolute_url()}{query}").content)


# Account --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "failure", "shown"),
    [
        (9, "", "Plan and API keys read 9 hours ago Elev"),
        (0, "unavailable", "Plan and API keys read just now; reading them again has failed"),
        (0, "", None),
    ],
    ids=["by night", "failed since", "with the usage"],
)
def test_age_of_plan_and_keys_is_told(signed_in: Client, hours: int, failure: str, shown: str | None) -> None:
    """Where they are older than the usage beside them, or could not be read again."""
    read_at = NOW - timedelta(hours=hours)

    page = page_of(signed_in, make_provider(account_read_at=read_at, account_failure=failure))

    assert (shown in page) if shown else ("Plan and API keys" not in page)


# Keys -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sharing", "assigned", "shown"),
    [
        (Provider.KeylessSharing.EVENLY, False, "Shared evenly"),
        (Provider.KeylessSharing.BY_USAGE, False, "Shared by usage"),
        (Provider.KeylessSharing.EVENLY, True, "Unassigned"),
        (Provider.KeylessSharing.NONE, False, "Unassigned"),
    ],
)
def test_usage_without_a_key_says_how_it_is_shared(
    signed_in: Client, sharing: str, *, assigned: bool, shown: str
) -> None:
    """Unless it is assigned itself, if only to nobody."""
    provider = make_provider(keyless_sharing=sharing)
    keyless = make_keyless(provider=provider)
    make_usage(project=keyless)
    if assigned:
        make_assignment(project=keyless, company=None)

    rows = cells(signed_in, f"{provider.get_absolute_url()}?csv=keys", "Company")

    assert rows["No API key (web app)"] == (shown,)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"expires_at": datetime(2026, 12, 3, tzinfo=UTC)}, "Expires 3 Dec 2026"),
        ({"expires_at": NOW}, "Expired Expired 22 Nov 2026"),
        ({"credit_limit": 50_000, "credits_used": 12_000}, "12,000 of 50,000 credits this period"),
        ({"credit_limit": 50_000, "credits_used": 0}, "0 of 50,000 credits this period"),
        ({"credit_limit": 50_000}, "an unknown number of 50,000 credits this period"),
        ({"disabled_at": NOW, "disabled_reason": "trial_ended"}, "Disabled The workspace's trial ended"),
        ({"disabled_at": NOW, "disabled_reason": "new_in_2027"}, "Disabled New in 2027"),
        ({"deleted_at": NOW, "expires_at": NOW}, "Key Deleted —"),
        (
            {"expires_at": datetime(2027, 1, 1, tzinfo=UTC), "credit_limit": 10, "credits_used": 3},
            "Expires 1 Jan 2027 · 3 of 10 credits this period",
        ),
    ],
    ids=str,
)
def test_a_key_says_what_has_become_of_it_and_what_it_may_still_do(
    signed_in: Client, fields: dict[str, Any], words: str
) -> None:
    """As far as it was listed."""
    provider = make_provider()
    make_project(provider=provider, name="Key", **fields)

    page = signed_in.get(provider.get_absolute_url()).content.replace(b"&#x27;", b"'")

    assert words in text_of(page)


def test_a_reason_is_text(signed_in: Client) -> None:
    """Whatever ElevenLabs calls it."""
    provider = make_provider()
    make_project(provider=provider, disabled_at=NOW, disabled_reason="<i>why</i>")

    assert "<i>" not in signed_in.get(provider.get_absolute_url()).content.decode()


# Subscription ---------------------------------------------------------------------------------------------------------


def test_the_reconciliation_stands_with_the_plan(signed_in: Client) -> None:
    """Both numbers, the days they are of, and the next invoice."""
    provider = make_provider(subscription=SNAPSHOT, subscription_read_at=NOW)
    make_read_days(provider=provider, first=TODAY.replace(day=1), last=TODAY)
    key = make_project(provider=provider)
    make_usage(project=key, day=TODAY.replace(day=2), credits=Decimal(400_000))
    make_usage(project=key, day=TODAY, credits=Decimal(10_000))

    page = page_of(signed_in, provider)

    assert "Next invoice: $99.01" in page
    assert "Reconciled 1–22 Nov 2026, UTC: 410,000 credits in these rows, 412,000 by ElevenLabs" in page
    assert "2,000 fewer here." in page
    assert "which explains it." in page


def test_a_difference_that_nothing_explains_needs_a_look(signed_in: Client) -> None:
    """With the way to read the period again."""
    provider = make_provider(subscription=SNAPSHOT, subscription_read_at=NOW)
    make_read_days(provider=provider, first=TODAY.replace(day=1), last=TODAY)

    response = signed_in.get(provider.get_absolute_url())

    assert "Needs a look" in text_of(response.content)
    assert f"/providers/{provider.pk}/resync/?from=2026-11-01&amp;to=2026-11-22" in response.content.decode()


@pytest.mark.parametrize("missing", ["subscription", "next_invoice"])
def test_what_the_snapshot_lacks_is_left_out(signed_in: Client, missing: str) -> None:
    """No guess, no error."""
    subscription = None if missing == "subscription" else SNAPSHOT | {missing: None}

    page = page_of(signed_in, make_provider(subscription=subscription, subscription_read_at=NOW))

    assert "Next invoice" not in page
    assert ("Not comparable" in page) == (missing != "subscription")


def test_spend_and_next_invoice_are_told_apart(signed_in: Client) -> None:
    """Both, with what is known of the parts between them."""
    provider = make_provider(subscription=SNAPSHOT | {"overage": {"amount": "12.5", "currency": "usd"}})
    make_usage(project=make_project(provider=provider), cost=Decimal(7))
    make_read_days(provider=provider, first=TODAY.replace(day=1), last=TODAY)

    page = page_of(signed_in, provider)

    assert "Why the next invoice is not the spend" in page
    assert "Spend 1–22 Nov 2026 $7.00 Plan fee ElevenLabs does not report it by itself —" in page
    assert "Overage so far $12.50 Next invoice as it stands $99.01" in page


# Syncs ----------------------------------------------------------------------------------------------------------------


def test_notes_and_the_beginning_of_an_answer_are_shown_as_text(signed_in: Client) -> None:
    """The answer is a stranger's, and folded away."""
    provider = make_provider()
    make_run(
        provider=provider,
        outcome="failed",
        finished_at=NOW,
        notes=["Unknown column <new>.", "Another."],
        excerpt="<script>alert(1)</script>",
    )

    page = signed_in.get(provider.get_absolute_url()).content.decode()

    assert "<li>Unknown column &lt;new&gt;.</li><li>Another.</li>" in page
    assert '<details class="excerpt"><summary>Beginning of the answer</summary>' in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_a_refused_key_can_be_replaced_from_the_notice(signed_in: Client) -> None:
    """Where another key would help, and only there."""
    refused = make_provider(failure_code="invalid_key", failure_text="x")
    away = make_provider(failure_code="unavailable", failure_text="x")

    notices = [
        signed_in.get(provider.get_absolute_url())
        .content.decode()
        .split("The latest sync failed")[1]
        .split("</form>")[0]
        for provider in (refused, away)
    ]

    assert ["Replace key" in notice for notice in notices] == [True, False]


# A provider that stands still -----------------------------------------------------------------------------------------


def make_gone(days_ago: int) -> Provider:
    """Read and used until it was disconnected, at $1 a day."""
    provider = make_provider(name="Gone", last_synced_at=NOW - timedelta(days=days_ago))
    last = TODAY - timedelta(days=days_ago)
    make_read_days(provider=provider, first=TODAY - timedelta(days=60), last=last)
    make_usage(project=make_project(provider=provider), day=last, cost=Decimal(1))
    disconnect_provider(provider=provider, now=NOW - timedelta(days=days_ago))
    provider.refresh_from_db()
    return provider


def test_days_after_the_disconnecting_are_not_missing(signed_in: Client, elevenlabs: FakeType) -> None:
    """Neither late nor unread, and its history is in every sum."""
    gone = make_gone(days_ago=3)
    other = make_provider(name="Present")
    make_read_days(provider=other, first=TODAY.replace(day=1), last=TODAY)
    make_usage(project=make_project(provider=other), day=TODAY, cost=Decimal(2))

    for path in ("/", "/companies/", "/providers/", gone.get_absolute_url()):
        page = text_of(signed_in.get(path).content)
        assert "incomplete" not in page, path
        assert "not been read" not in page, path
    assert "Spend this month $3.00 1–22 Nov 2026" in text_of(signed_in.get("/").content)
    listed = {row[0]: row[1:5] for row in printed(signed_in, "/providers/", "Name")}
    assert listed["Gone"] == ("$1.00", "ElevenLabs", "Disconnected", "3 days ago")
    assert listed["Total"][0] == "$3.00"


def test_of_days_after_the_disconnecting_nothing_is_known(signed_in: Client) -> None:
    """A range that holds no other is unknown, not zero, and its chart ends with the last day that was read."""
    gone = make_gone(days_ago=3)

    after = page_of(signed_in, gone, "?from=2026-11-21&to=2026-11-22")
    month = page_of(signed_in, gone)

    assert "$0.00" not in after
    assert "19 Nov 2026" in month
    assert "20 Nov 2026" not in month


def test_days_missed_before_the_disconnecting_are_missing(signed_in: Client) -> None:
    """They would have been read otherwise."""
    provider = make_provider(name="Gone")
    make_read_days(provider=provider, first=TODAY.replace(day=1), last=TODAY - timedelta(days=5))
    disconnect_provider(provider=provider, now=NOW - timedelta(days=3))

    assert "Gone: 2 of 19 days of this range have not been read yet" in text_of(signed_in.get("/").content)


def test_a_provider_that_paused_itself_is_named_on_the_dashboard(signed_in: Client) -> None:
    """One that a person paused is not."""
    synced = NOW - timedelta(days=4)
    make_provider(name="Refused", paused_at=NOW, pause_reason="The API key was refused.", last_synced_at=synced)
    make_provider(name="On purpose", paused_at=NOW, last_synced_at=synced)

    page = text_of(signed_in.get("/").content)

    assert "Refused last synced 4 days ago. Figures may be incomplete." in page
    assert "On purpose last synced" not in page


def test_states_are_an_icon_and_a_word_in_the_list(signed_in: Client, elevenlabs: FakeType) -> None:
    """Paused and Disconnected too."""
    make_provider(paused_at=NOW)
    make_gone(days_ago=1)

    page = signed_in.get("/providers/").content.decode()

    for state, word in (("paused", "Paused"), ("disconnected", "Disconnected")):
        assert re.search(
            rf'<span class="status status--{state}"><svg [^>]*>(<[a-z]+ [^>]*/>)+</svg>\s*{word}</span>', page
        )


# What it costs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 60])
def test_the_fullest_page_takes_fourteen_queries(
    signed_in: Client, django_assert_max_num_queries: DjangoAssertNumQueries, size: int
) -> None:
    """With keys, periods, companies, a plan, a rate, restatements and syncs, however many."""
    provider = make_provider(
        subscription=SNAPSHOT, subscription_read_at=NOW, credit_rate=Decimal("0.3"), credit_rate_currency="usd"
    )
    make_read_days(provider=provider, first=TODAY - timedelta(days=60), last=TODAY)
    make_usage(project=make_keyless(provider=provider))
    for _ in range(size):
        key = make_project(provider=provider, credit_limit=1, expires_at=NOW)
        make_assignment(project=key, company=make_company())
        make_assignment(project=key, company=make_company(archived_at=NOW), starts_on=TODAY)
        make_usage(project=key)
        run = make_run(provider=provider, outcome="failed", finished_at=NOW, notes=["x"], excerpt="x")
        Restatement.objects.create(project=key, day=TODAY, run=run, restated_at=NOW)

    for query in ("", "?from=2025-01-01&to=2026-11-22", "?metric=credits&show=unassigned"):
        with django_assert_max_num_queries(14):
            assert signed_in.get(f"{provider.get_absolute_url()}{query}").status_code == 200

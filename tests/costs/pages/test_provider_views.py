"""The list of providers and the page of one: keys, models, subscription, and how its syncs go."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from tests.conftest import FakeType
from tests.costs.worlds import make_workspace
from tests.factories import (
    NOW,
    TODAY,
    make_keyless,
    make_project,
    make_provider,
    make_run,
    make_usage,
)
from tests.pages import cells, printed, text_of

pytestmark = pytest.mark.any_engine


def test_the_provider_list_shows_state_and_spend(signed_in: Client, elevenlabs: FakeType) -> None:
    """One row each."""
    make_workspace()

    rows = printed(signed_in, "/providers/", "Name")

    assert [row[:6] for row in rows] == [
        ("Production", "$4.00", "ElevenLabs", "Connected", "12 min ago", "1"),
        ("Total", "$4.00", "", "", "", "1"),
    ]


def test_the_provider_page_shows_keys_models_and_syncs(signed_in: Client, elevenlabs: FakeType) -> None:
    """Each section agrees with the others."""
    provider, _acme = make_workspace()
    make_usage(project=make_keyless(provider=provider), cost=Decimal(3))
    make_run(provider=provider, outcome="succeeded", finished_at=NOW, started_at=NOW, rows_read=4, rows_inserted=4)

    page = text_of(signed_in.get(provider.get_absolute_url()).content)
    keys = cells(signed_in, f"{provider.get_absolute_url()}?csv=keys", "Spend (USD)")

    assert keys == {"Key 0": ("2",), "Key 1": ("2",), "No API key (web app)": ("3",)}
    assert page.count("Total $7.00") == 3  # keys, days, models
    assert "Last synced 12 min ago · next about 13:00 UTC" in page
    assert "4 read, 4 changed" in page


def test_the_end_of_the_initial_sync_says_what_to_do(signed_in: Client) -> None:
    """How many keys wait for a company."""
    provider = make_provider()
    for _ in range(12):
        make_project(provider=provider)
    make_run(provider=provider, trigger="connect", outcome="succeeded", finished_at=NOW)

    page = text_of(signed_in.get(provider.get_absolute_url()).content)

    assert "Initial sync finished. Assign 12 API keys to companies." in page


def test_a_running_sync_polls_and_works_without_scripts(signed_in: Client) -> None:
    """By htmx every two seconds, else by reloading the page."""
    provider = make_provider()
    make_run(provider=provider, stage="usage", started_at=NOW, days_total=90, days_done=37)

    page = signed_in.get(provider.get_absolute_url()).content.decode()

    assert f'hx-get="/providers/{provider.pk}/progress/" hx-trigger="every 2s"' in page
    assert '<noscript><meta http-equiv="refresh"' in page


def test_a_failed_sync_names_its_stage_and_offers_another_try(signed_in: Client) -> None:
    """In plain words, with the safe text."""
    provider = make_provider(failure_code="x", failure_text="ElevenLabs did not answer.")
    make_run(
        provider=provider, stage="keys", outcome="failed", finished_at=NOW, error_text="ElevenLabs did not answer."
    )

    page = text_of(signed_in.get(provider.get_absolute_url()).content)

    assert "The latest sync failed while listing the API keys. ElevenLabs did not answer." in page
    assert "Try again" in page


def test_a_run_that_needs_a_look_can_be_accepted_there(signed_in: Client) -> None:
    """One button, for that run."""
    provider = make_provider()
    run = make_run(provider=provider, outcome="needs_look", finished_at=NOW, window_from=TODAY, window_to=TODAY)

    page = signed_in.get(provider.get_absolute_url()).content.decode()

    assert f'action="/providers/{provider.pk}/runs/{run.pk}/accept/"' in page


@pytest.mark.parametrize(
    ("subscription", "expected"),
    [
        (
            {
                "name": "scale",
                "status": "active",
                "used": 412_000,
                "included": 500_000,
                "resets_at": "2026-12-01T00:00:00+00:00",
                "overage": {"amount": "12.50", "currency": "usd"},
            },
            ["Scale plan", "412,000 of 500,000 credits used", "Resets 1 Dec 2026", "Overage this period: $12.50"],
        ),
        ({}, ["Plan not reported"]),
        ({"name": None, "used": "many", "overage": {"amount": "NaN"}}, ["Plan not reported"]),
    ],
)
def test_the_subscription_is_shown_as_far_as_it_is_known(
    signed_in: Client, subscription: dict[str, object], expected: list[str]
) -> None:
    """Whatever shape the provider reported it in."""
    provider = make_provider(subscription=subscription)

    page = text_of(signed_in.get(provider.get_absolute_url()).content)

    for words in expected:
        assert words in page


@pytest.mark.parametrize(
    ("metric", "cell"),
    [("cost", "$4.00"), ("credits", "4,000"), ("minutes", "6.0"), ("requests", "40"), ("x", "$4.00")],
)
def test_the_metric_of_the_daily_usage_is_in_the_url(signed_in: Client, metric: str, cell: str) -> None:
    """An unknown one is cost."""
    provider, _acme = make_workspace()

    rows = printed(signed_in, f"{provider.get_absolute_url()}?metric={metric}", "Day")

    assert (rows[-1][0], rows[-1][-1]) == ("Total", cell)


def test_keys_come_in_pages_of_fifty(signed_in: Client) -> None:
    """A number outside is the nearest page."""
    provider = make_provider()
    for _ in range(132):
        make_project(provider=provider)

    pages = [
        text_of(signed_in.get(f"{provider.get_absolute_url()}?page={number}").content)
        for number in ("1", "3", "99", "-1", "x" * 100, "9" * 100)
    ]

    assert "1–50 of 132" in pages[0]
    assert "101–132 of 132" in pages[1]
    assert "101–132 of 132" in pages[2]
    assert all("1–50 of 132" in page for page in pages[3:])


def test_keys_are_sorted_by_the_url(signed_in: Client) -> None:
    """Names as people count; the heading tells the direction."""
    provider = make_provider()
    for name in ("key 10", "key 9"):
        make_project(provider=provider, name=name)

    page = signed_in.get(f"{provider.get_absolute_url()}?sort=name").content.decode()

    assert page.index("key 9") < page.index("key 10")
    assert 'aria-sort="ascending"><a href="/providers/' in page


def test_a_filter_without_matches_can_be_cleared(signed_in: Client) -> None:
    """Which is not the same as nothing yet."""
    provider, _acme = make_workspace(keys=1)

    filtered = text_of(signed_in.get(f"{provider.get_absolute_url()}?show=unassigned").content)
    empty = text_of(signed_in.get(make_provider().get_absolute_url()).content)

    assert "No rows match. Clear filters" in filtered
    assert "No API keys yet." in empty

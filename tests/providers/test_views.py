"""Syncing, companies and who may do what, through the pages of providers."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from providers.models import Company, Provider, SyncRun
from tests.conftest import FakeType
from tests.factories import (
    NOW,
    TODAY,
    make_company,
    make_provider,
    make_run,
)

pytestmark = pytest.mark.any_engine


ADD = "/providers/add/"
KEY = "sk_" + "0123456789abcdef" * 3
VALID = {"provider_type": "elevenlabs", "name": "Production ElevenLabs", "api_key": KEY, "region": "global"}


# Syncing --------------------------------------------------------------------------------------------------------------


def test_sync_now_queues_one_run_however_often_it_is_pressed(signed_in: Client, elevenlabs: FakeType) -> None:
    """The second press finds the run of the first."""
    provider = make_provider()

    signed_in.post(f"/providers/{provider.pk}/sync/")
    signed_in.post(f"/providers/{provider.pk}/sync/")

    run = SyncRun.objects.get()
    assert run.trigger == SyncRun.Trigger.MANUAL
    assert elevenlabs.enqueued == [run.pk]


def test_sync_now_says_that_the_queue_is_unreachable(signed_in: Client, elevenlabs: FakeType) -> None:
    """And keeps the run for when it is back."""
    provider = make_provider()
    elevenlabs.queue_is_down = True

    response = signed_in.post(f"/providers/{provider.pk}/sync/", follow=True)

    assert "The queue is unreachable" in response.content.decode()
    assert SyncRun.objects.unfinished().count() == 1


def test_sync_now_leaves_a_paused_provider_alone(signed_in: Client, elevenlabs: FakeType) -> None:
    """Paused means paused."""
    provider = make_provider(paused_at=NOW)

    signed_in.post(f"/providers/{provider.pk}/sync/")

    assert not SyncRun.objects.exists()


def test_progress_shows_the_stages_while_a_run_is_unfinished(signed_in: Client) -> None:
    """What is done, what is under way, and that one may leave."""
    provider = make_provider()
    make_run(provider=provider, trigger="connect", stage="usage", keys_found=12, days_done=37, days_total=90)

    page = signed_in.get(f"/providers/{provider.pk}/progress/", headers={"HX-Request": "true"}).content.decode()

    assert "Key checked" in page
    assert "12 API keys found" in page
    assert "Usage: 37 of 90 days" in page
    assert "You can leave this page." in page


def test_progress_asks_for_the_whole_page_once_no_run_is_left(signed_in: Client) -> None:
    """The polling ends with one full refresh."""
    provider = make_provider()
    make_run(provider=provider, outcome="succeeded", finished_at=NOW)

    response = signed_in.get(f"/providers/{provider.pk}/progress/", headers={"HX-Request": "true"})

    assert response["HX-Refresh"] == "true"


def test_progress_opened_by_hand_leads_to_the_page(signed_in: Client) -> None:
    """A fragment is no page."""
    provider = make_provider()

    response = signed_in.get(f"/providers/{provider.pk}/progress/")

    assert response["Location"] == provider.get_absolute_url()


def test_accepting_a_run_reads_its_window_again_without_the_check(signed_in: Client, elevenlabs: FakeType) -> None:
    """Exactly the window that was held back."""
    provider = make_provider()
    first, last = TODAY - timedelta(days=6), TODAY
    held_back = make_run(provider=provider, outcome="needs_look", finished_at=NOW, window_from=first, window_to=last)

    signed_in.post(f"/providers/{provider.pk}/runs/{held_back.pk}/accept/")

    run = SyncRun.objects.unfinished().get()
    assert (run.requested_from, run.requested_to, run.accepts_implausible) == (first, last, True)


def test_only_a_run_that_needs_a_look_can_be_accepted(signed_in: Client, elevenlabs: FakeType) -> None:
    """404 for any other, and for another provider's."""
    run = make_run(outcome="succeeded", finished_at=NOW)
    other = make_run(outcome="needs_look", finished_at=NOW, window_from=TODAY, window_to=TODAY)

    not_held = signed_in.post(f"/providers/{run.provider_id}/runs/{run.pk}/accept/")
    foreign = signed_in.post(f"/providers/{run.provider_id}/runs/{other.pk}/accept/")

    assert (not_held.status_code, foreign.status_code) == (404, 404)


# Companies ------------------------------------------------------------------------------------------------------------


def test_a_company_is_added_and_renamed(signed_in: Client) -> None:
    """One form for both."""
    signed_in.post("/companies/add/", {"name": "Acme", "notes": ""})
    company = Company.objects.get()

    response = signed_in.post(f"/companies/{company.pk}/edit/", {"name": "Acme Ltd", "notes": "Since 2024"})

    company.refresh_from_db()
    assert response["Location"] == company.get_absolute_url()
    assert (company.name, company.notes) == ("Acme Ltd", "Since 2024")


def test_a_company_name_is_unique_whatever_its_capitals(signed_in: Client) -> None:
    """422 with the model's sentence; the heading keeps the stored name."""
    make_company(name="Acme")
    other = make_company(name="Other")

    response = signed_in.post(f"/companies/{other.pk}/edit/", {"name": "ACME", "notes": ""})

    assert response.status_code == 422
    assert "A company with this name already exists." in response.content.decode()
    assert "Edit Other" in response.content.decode()


@pytest.mark.parametrize("bad", [{"name": ""}, {"name": "x" * 1_000_000}, {"name": "a\0b"}, {"notes": "x" * 10_000}])
def test_hostile_company_forms_are_refused(signed_in: Client, bad: dict[str, str]) -> None:
    """422 and nothing stored."""
    response = signed_in.post("/companies/add/", {"name": "Acme", "notes": ""} | bad)

    assert response.status_code == 422
    assert not Company.objects.exists()


# Access ---------------------------------------------------------------------------------------------------------------

ACTIONS = ["sync/", "assign/", "runs/1/accept/"]


@pytest.mark.parametrize("action", ACTIONS)
def test_changes_are_posts(signed_in: Client, action: str) -> None:
    """A link can't change anything."""
    provider = make_provider()

    response = signed_in.get(f"/providers/{provider.pk}/{action}")

    assert response.status_code == 405


def test_trying_is_a_post_too(signed_in: Client) -> None:
    """A link can't change anything."""
    assert signed_in.get("/providers/try-simulated/").status_code == 405


@pytest.mark.parametrize("action", [*ACTIONS, "progress/"])
@pytest.mark.parametrize("pk", ["4711", "9" * 40])
def test_unknown_ids_are_not_found(signed_in: Client, action: str, pk: str) -> None:
    """Also ids that no database column can hold."""
    method = signed_in.get if action == "progress/" else signed_in.post

    response = method(f"/providers/{pk}/{action}", headers={"HX-Request": "true"})

    assert response.status_code == 404


def test_a_post_without_the_token_is_refused(operator: object, now: datetime) -> None:
    """403, with a page that says what to do."""
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)  # type: ignore[arg-type]

    response = strict.post("/companies/add/", {"name": "Acme"})

    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()
    assert not Company.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/", "/providers/", ADD, "/providers/1/", "/companies/", "/companies/1/", "/settings/"]
)
def test_every_page_asks_for_a_sign_in(client: Client, path: str) -> None:
    """Nobody sees anything before."""
    response = client.get(path)

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=")


@pytest.mark.django_db
def test_an_anonymous_post_changes_nothing(client: Client, elevenlabs: FakeType) -> None:
    """It leads to the sign-in page."""
    response = client.post(ADD, VALID)

    assert response["Location"].startswith("/accounts/login/")
    assert not Provider.objects.exists()

"""The small pages behind a provider's menu: rename, replace the key, pause, resume, re-sync, delete."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.test import Client

from costs.models import DailyUsage
from providers.models import Provider, SyncRun
from providers.services.managing import disconnect_provider
from tests.conftest import FakeType
from tests.factories import API_KEY, NOW, TODAY, make_project, make_provider, make_run, make_usage

pytestmark = pytest.mark.any_engine


NEW_KEY = "sk_" + "a1b2c3d4" * 6
NASTY = "<b>x</b>\"'&=HYPERLINK(1)"
PAGES = ["rename/", "key/", "pause/", "resume/", "resync/", "delete/", "credit-rate/"]


def stored_key(provider: Provider) -> str:
    return Provider.objects.get(pk=provider.pk).api_key.reveal()


def url(provider: Provider, page: str) -> str:
    return f"/providers/{provider.pk}/{page}"


def disconnected() -> Provider:
    provider = make_provider()
    disconnect_provider(provider=provider, now=NOW)
    provider.refresh_from_db()
    return provider


# The menu -------------------------------------------------------------------------------------------------------------


def test_the_menu_leads_to_each_page(signed_in: Client) -> None:
    """Links in a details element: they work by keyboard and without scripts."""
    provider = make_provider()

    page = signed_in.get(provider.get_absolute_url()).content.decode()

    start = page.index('<details class="menu"')
    menu = page[start : page.index("</details>", start)]
    for path in ("rename/", "key/", "pause/", "resync/", "credit-rate/", "delete/"):
        assert f'href="{url(provider, path)}"' in menu
    assert "History stays" in menu
    assert "resume/" not in menu


def test_a_paused_provider_offers_to_resume_and_no_sync(signed_in: Client) -> None:
    """Neither at the top nor in the menu."""
    provider = make_provider(paused_at=NOW)

    page = signed_in.get(provider.get_absolute_url()).content.decode()

    assert url(provider, "resume/") in page
    assert "Sync now" not in page
    assert url(provider, "resync/") not in page
    assert "Paused" in page


def test_a_provider_that_paused_itself_says_why(signed_in: Client) -> None:
    """With the way out beside it; what failed is not offered again."""
    reason = "The API key has been refused for three days. <i>"
    provider = make_provider(paused_at=NOW, pause_reason=reason, failure_code="invalid_key", failure_text="x")
    make_run(provider=provider, outcome="failed", finished_at=NOW)

    page = signed_in.get(provider.get_absolute_url()).content.decode()

    assert "Syncing paused itself.</strong> The API key has been refused for three days. &lt;i&gt;" in page
    assert url(provider, "key/") in page
    assert "Try again" not in page


def test_a_disconnected_provider_offers_its_key_back_and_nothing_else(signed_in: Client) -> None:
    """No sync, no pause; rename and delete remain."""
    provider = disconnected()

    page = signed_in.get(provider.get_absolute_url()).content.decode()

    assert "Disconnected" in page
    assert "disconnected on 22 Nov 2026" in page
    assert "Replace its key to reconnect it." in page
    assert f'href="{url(provider, "key/")}">Replace key</a>' in page
    for gone in ("Sync now", "pause/", "resume/", "resync/", "next about"):
        assert gone not in page
    assert url(provider, "delete/") in page


@pytest.mark.parametrize("state", ["connected", "paused", "disconnected"])
@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens_in_every_state(signed_in: Client, elevenlabs: FakeType, page: str, state: str) -> None:
    """And shows the name as text."""
    provider = make_provider(name=NASTY)
    if state == "paused":
        Provider.objects.update(paused_at=NOW)
    if state == "disconnected":
        disconnect_provider(provider=provider, now=NOW)

    response = signed_in.get(url(provider, page))

    assert response.status_code == 200
    assert "<b>x" not in response.content.decode()
    assert "&lt;b&gt;x&lt;/b&gt;" in response.content.decode()


# Renaming -------------------------------------------------------------------------------------------------------------


def test_renaming_leads_back_and_says_so(signed_in: Client) -> None:
    """Old and new name in the message."""
    provider = make_provider(name="Old")

    response = signed_in.post(url(provider, "rename/"), {"name": " New  name "}, follow=True)

    assert response.redirect_chain == [(provider.get_absolute_url(), 302)]
    assert "<bdi>Old</bdi> is now called <bdi>New name</bdi>." in response.content.decode()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Enter a name."),
        ("TAKEN", "A provider with this name already exists."),
        ("x" * 1_000_000, "at most 120 characters"),
        ("a\0b", "Null characters are not allowed."),
    ],
    ids=["blank", "taken", "long", "nul"],
)
def test_a_bad_name_is_refused_with_the_sentence(signed_in: Client, name: str, sentence: str) -> None:
    """422, a summary, the stored name in the heading, nothing changed."""
    make_provider(name="Taken")
    provider = make_provider(name="Mine")

    response = signed_in.post(url(provider, "rename/"), {"name": name})

    page = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error: Rename Mine" in page
    assert "There is a problem" in page
    assert sentence in page
    assert Provider.objects.get(pk=provider.pk).name == "Mine"


# Replacing the key ----------------------------------------------------------------------------------------------------


def test_a_good_key_replaces_the_old_one_and_syncs(signed_in: Client, elevenlabs: FakeType) -> None:
    """The run is handed to the queue."""
    provider = make_provider()
    elevenlabs.project_ids = frozenset({make_project(provider=provider).external_id})

    response = signed_in.post(url(provider, "key/"), {"api_key": NEW_KEY})

    assert response["Location"] == provider.get_absolute_url()
    assert stored_key(provider) == NEW_KEY
    assert elevenlabs.enqueued == [SyncRun.objects.get().pk]


def test_a_bad_key_is_said_and_the_old_one_keeps_syncing(signed_in: Client, elevenlabs: FakeType) -> None:
    """Neither key is on the page; the provider is as it was, and due as it was."""
    provider = make_provider()
    elevenlabs.refusal = "Could not connect: ElevenLabs did not accept this key."

    response = signed_in.post(url(provider, "key/"), {"api_key": NEW_KEY})

    page = response.content.decode()
    assert response.status_code == 422
    assert elevenlabs.refusal in page
    assert f"··{API_KEY[-4:]} stays and keeps syncing" in page
    assert NEW_KEY not in page
    assert API_KEY not in page
    assert stored_key(provider) == API_KEY
    assert Provider.objects.get().status(NOW) == Provider.Status.CONNECTED
    assert not SyncRun.objects.exists()


def test_a_key_of_another_workspace_is_refused(signed_in: Client, elevenlabs: FakeType) -> None:
    """With what to do instead."""
    provider = make_provider()
    make_project(provider=provider)
    elevenlabs.project_ids = frozenset({"f" * 64})

    response = signed_in.post(url(provider, "key/"), {"api_key": NEW_KEY, "same_workspace": "on"})

    assert response.status_code == 422
    assert "This key belongs to another workspace" in response.content.decode()
    assert stored_key(provider) == API_KEY


def test_a_key_that_tells_nothing_of_its_workspace_asks_for_a_confirmation(
    signed_in: Client, elevenlabs: FakeType
) -> None:
    """A checkbox appears, the key is asked for again, and confirmed it is taken."""
    provider = make_provider()
    path = url(provider, "key/")

    fresh = signed_in.get(path).content.decode()
    asked = signed_in.post(path, {"api_key": NEW_KEY})
    forgotten = signed_in.post(path, {"api_key": "", "same_workspace": "on"})
    before = stored_key(provider)
    signed_in.post(path, {"api_key": NEW_KEY, "same_workspace": "on"})

    question = "I am sure that this key belongs to the same workspace"
    assert question not in fresh
    assert asked.status_code == 422
    assert question in asked.content.decode()
    assert NEW_KEY not in asked.content.decode()
    assert question in forgotten.content.decode()
    assert "Enter an API key." in forgotten.content.decode()
    assert (before, stored_key(provider)) == (API_KEY, NEW_KEY)


def test_a_key_connects_a_disconnected_provider_again(signed_in: Client, elevenlabs: FakeType) -> None:
    """It syncs by itself from then on."""
    provider = disconnected()
    elevenlabs.project_ids = frozenset({make_project(provider=provider).external_id})

    signed_in.post(url(provider, "key/"), {"api_key": NEW_KEY})

    provider.refresh_from_db()
    assert provider.status(NOW) == Provider.Status.CONNECTED
    assert list(Provider.objects.due(NOW)) == [provider]


@pytest.mark.parametrize("key", ["x" * 10_000, "with a space", "line\r\nbreak", "schlüssel", "a\0b"])
def test_what_is_no_key_is_refused_before_it_is_tried(signed_in: Client, elevenlabs: FakeType, key: str) -> None:
    """422 and never echoed."""
    provider = make_provider()

    response = signed_in.post(url(provider, "key/"), {"api_key": key})

    assert response.status_code == 422
    assert elevenlabs.checked == []
    assert key not in response.content.decode()


# Pausing --------------------------------------------------------------------------------------------------------------


def test_pausing_and_resuming(signed_in: Client) -> None:
    """Each by a form of its own."""
    provider = make_provider()

    paused = signed_in.post(url(provider, "pause/"), follow=True).content.decode()
    status = Provider.objects.get().status(NOW)
    resumed = signed_in.post(url(provider, "resume/"), follow=True).content.decode()

    assert "is paused. Its history stays." in paused
    assert status == Provider.Status.PAUSED
    assert "is resumed." in resumed
    assert Provider.objects.get().status(NOW) == Provider.Status.CONNECTED


@pytest.mark.parametrize("page", ["pause/", "resume/"])
def test_a_disconnected_provider_is_neither_paused_nor_resumed(signed_in: Client, page: str) -> None:
    """422 with what to do."""
    provider = disconnected()

    response = signed_in.post(url(provider, page))

    assert response.status_code == 422
    assert "This provider is disconnected. Replace its key to sync it again." in response.content.decode()


@pytest.mark.parametrize("state", ["paused", "disconnected"])
def test_nothing_syncs_what_stands_still(signed_in: Client, elevenlabs: FakeType, state: str) -> None:
    """Not "Sync now", not a range, not a run that needs a look."""
    provider = disconnected() if state == "disconnected" else make_provider(paused_at=NOW)
    held = make_run(provider=provider, outcome="needs_look", finished_at=NOW, window_from=TODAY, window_to=TODAY)

    signed_in.post(url(provider, "sync/"))
    signed_in.post(url(provider, f"runs/{held.pk}/accept/"))
    response = signed_in.post(url(provider, "resync/"), {"first": "2026-11-01", "last": "2026-11-02"})

    assert response.status_code == 422
    assert list(SyncRun.objects.all()) == [held]


# Re-syncing -----------------------------------------------------------------------------------------------------------


def test_a_range_is_read_again(signed_in: Client, elevenlabs: FakeType) -> None:
    """Also from the first day that there is; both days included."""
    provider = make_provider()

    response = signed_in.post(url(provider, "resync/"), {"first": "2020-01-01", "last": TODAY.isoformat()})

    run = SyncRun.objects.get()
    assert response["Location"] == provider.get_absolute_url()
    assert (run.requested_from, run.requested_to, run.trigger) == (date(2020, 1, 1), TODAY, SyncRun.Trigger.MANUAL)
    assert elevenlabs.enqueued == [run.pk]


def test_the_days_of_a_link_are_offered(signed_in: Client) -> None:
    """As the reconciliation's link names them; without one the last 35 days."""
    provider = make_provider()

    plain = signed_in.get(url(provider, "resync/")).content.decode()
    linked = signed_in.get(url(provider, "resync/?from=2026-11-01&to=2026-11-20")).content.decode()

    assert 'value="2026-10-19"' in plain
    assert 'value="2026-11-22"' in plain
    assert 'value="2026-11-01"' in linked
    assert 'value="2026-11-20"' in linked


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("", "2026-11-01", "Enter the first day."),
        ("2026-11-01", "", "Enter the last day."),
        ("2026-02-30", "2026-11-01", "Write it as YYYY-MM-DD."),
        ("2019-12-31", "2026-11-01", "The date must not be before 1 Jan 2020."),
        ("2026-11-01", "2026-11-23", "The date must not be after today (22 Nov 2026, UTC)."),
        ("2026-11-02", "2026-11-01", "The last day must not be before the first."),
        ("9" * 100_000, "a\0b", "Write it as YYYY-MM-DD."),
    ],
)
def test_a_range_that_cannot_be_read_is_refused(
    signed_in: Client, elevenlabs: FakeType, first: str, last: str, sentence: str
) -> None:
    """422 with the sentence, and no run."""
    provider = make_provider()

    response = signed_in.post(url(provider, "resync/"), {"first": first, "last": last})

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not SyncRun.objects.exists()


# Deleting -------------------------------------------------------------------------------------------------------------


def test_the_page_lists_what_goes_and_what_stays(signed_in: Client) -> None:
    """Both ways, by number and days."""
    key = make_project(first_used_on=date(2026, 1, 2), last_used_on=TODAY)
    make_run(provider=key.provider, outcome="succeeded", finished_at=NOW)

    page = " ".join(signed_in.get(url(key.provider, "delete/")).content.decode().split())

    assert "Disconnect and keep its history" in page
    assert "Delete with all its history" in page
    assert "All usage and costs of 2 Jan 2026 – 22 Nov 2026" in page
    assert "1 API key, and whose they are; 1 sync of its history" in page
    assert f"Type “<bdi>{key.provider.name}</bdi>” to confirm" in page


def test_disconnecting_keeps_the_history(signed_in: Client) -> None:
    """And leads back to the provider's page."""
    usage = make_usage()
    provider = usage.project.provider

    response = signed_in.post(url(provider, "delete/"), {"history": "keep"})

    assert response["Location"] == provider.get_absolute_url()
    assert Provider.objects.get().disconnected_at == NOW
    assert DailyUsage.objects.count() == 1


def test_deleting_with_the_name_leaves_nothing(signed_in: Client) -> None:
    """And leads to the list."""
    usage = make_usage()
    provider = usage.project.provider

    response = signed_in.post(url(provider, "delete/"), {"history": "delete", "confirmed_name": provider.name})

    assert response["Location"] == "/providers/"
    assert not Provider.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"history": "both"},
        {"history": "delete"},
        {"history": "delete", "confirmed_name": "another"},
        {"history": "delete", "confirmed_name": "x" * 1_000_000},
        {"history": "delete", "confirmed_name": "a\0b"},
    ],
    ids=["nothing", "unknown", "blank", "another", "long", "nul"],
)
def test_nothing_is_deleted_by_halves(signed_in: Client, data: dict[str, str]) -> None:
    """422 and everything stands."""
    provider = make_provider()

    response = signed_in.post(url(provider, "delete/"), data)

    assert response.status_code == 422
    assert "There is a problem" in response.content.decode()
    assert Provider.objects.get().disconnected_at is None


# Access ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("pk", ["4711", "9" * 40])
def test_unknown_ids_are_not_found(signed_in: Client, page: str, pk: str) -> None:
    """For reading and for changing."""
    assert signed_in.get(f"/providers/{pk}/{page}").status_code == 404
    assert signed_in.post(f"/providers/{pk}/{page}").status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_other_methods_are_refused(signed_in: Client, page: str) -> None:
    """405."""
    assert signed_in.delete(url(make_provider(), page)).status_code == 405


@pytest.mark.parametrize("page", PAGES)
def test_a_post_without_the_token_is_refused(operator: object, now: datetime, page: str) -> None:
    """403, and nothing has changed."""
    provider = make_provider()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)  # type: ignore[arg-type]

    response = strict.post(url(provider, page), {"history": "keep", "name": "x"})

    assert response.status_code == 403
    assert Provider.objects.get().status(NOW) == Provider.Status.CONNECTED


@pytest.mark.django_db
@pytest.mark.parametrize("page", [*PAGES, "restatements/"])
def test_every_page_asks_for_a_sign_in(client: Client, page: str) -> None:
    """Nobody sees or changes anything before."""
    provider = make_provider()

    assert client.get(url(provider, page))["Location"].startswith("/accounts/login/?next=")
    assert client.post(url(provider, page))["Location"].startswith("/accounts/login/")

"""Connecting, syncing, assigning, naming companies – through the pages."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from providers.models import AssignmentChange, AssignmentShare, Company, Provider, SyncRun
from tests.conftest import FakeType
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_run,
)

ADD = "/providers/add/"
KEY = "sk_" + "0123456789abcdef" * 3
VALID = {"provider_type": "elevenlabs", "name": "Production ElevenLabs", "api_key": KEY, "region": "global"}


# Connecting -----------------------------------------------------------------------------------------------------------


def test_connecting_stores_the_provider_and_starts_its_initial_sync(signed_in: Client, elevenlabs: FakeType) -> None:
    """A good key leads to the provider's page with the initial sync handed to the queue."""
    response = signed_in.post(ADD, VALID)

    provider = Provider.objects.get()
    run = SyncRun.objects.get()
    assert response.status_code == 302
    assert response["Location"] == provider.get_absolute_url()
    assert (run.trigger, elevenlabs.enqueued) == (SyncRun.Trigger.CONNECT, [run.pk])
    assert elevenlabs.checked == [(KEY, "global")]


def test_connecting_succeeds_while_the_queue_is_away(signed_in: Client, elevenlabs: FakeType) -> None:
    """The run is a row: the sweep hands it over later."""
    elevenlabs.queue_is_down = True

    signed_in.post(ADD, VALID)

    assert SyncRun.objects.get().enqueued_at is None


def test_a_blank_form_names_what_is_missing(signed_in: Client, elevenlabs: FakeType) -> None:
    """422, "Error:" in the title, a summary with links to the fields, nothing stored."""
    response = signed_in.post(ADD, VALID | {"name": "", "api_key": ""})

    page = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error: Add Provider" in page
    assert "There is a problem" in page
    assert '<a href="#id_api_key">Enter an API key.</a>' in page
    assert '<a href="#id_name">Enter a name.</a>' in page
    assert not Provider.objects.exists()


def test_a_refused_key_is_said_and_never_echoed(signed_in: Client, elevenlabs: FakeType) -> None:
    """The provider's own words appear, type and name stay, the key is gone, nothing is stored."""
    elevenlabs.refusal = "Could not connect: ElevenLabs did not accept this key."

    response = signed_in.post(ADD, VALID)

    page = response.content.decode()
    assert response.status_code == 422
    assert elevenlabs.refusal in page
    assert 'value="Production ElevenLabs"' in page
    assert KEY not in page
    assert not Provider.objects.exists()
    assert not SyncRun.objects.exists()


def test_the_same_key_twice_names_the_provider_that_has_it(signed_in: Client, elevenlabs: FakeType) -> None:
    """A workspace counted twice would double every figure."""
    make_provider(name="First", api_key=KEY)

    response = signed_in.post(ADD, VALID)

    assert response.status_code == 422
    assert "This workspace is already connected as &quot;First&quot;" in response.content.decode()
    assert elevenlabs.checked == []


def test_a_name_that_is_taken_is_refused_whatever_its_capitals(signed_in: Client, elevenlabs: FakeType) -> None:
    """Before the key is tried."""
    make_provider(name="production elevenlabs")

    response = signed_in.post(ADD, VALID)

    assert "A provider with this name already exists." in response.content.decode()
    assert elevenlabs.checked == []


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "x" * 1_000_000},
        {"name": "a\0b"},
        {"api_key": "x" * 10_000},
        {"api_key": "with a space"},
        {"api_key": "line\r\nbreak"},
        {"api_key": "schlüssel"},
        {"region": "https://evil.example"},
        {"provider_type": "nobody"},
    ],
    ids=str,
)
def test_hostile_input_is_refused_with_a_sentence(signed_in: Client, elevenlabs: FakeType, bad: dict[str, str]) -> None:
    """Nothing of it is tried, stored, or answered with an error of the server's own."""
    response = signed_in.post(ADD, VALID | bad)

    assert response.status_code == 422
    assert elevenlabs.checked == []
    assert not Provider.objects.exists()


def test_the_form_shows_how_to_get_a_key(signed_in: Client, elevenlabs: FakeType) -> None:
    """Four steps, the permission, the advice, and a masked field."""
    page = signed_in.get(ADD).content.decode()

    assert "Use a key made only for cost tracking. It is stored encrypted and never shown again." in page
    assert "workspace_analytics_full_read" in page
    assert 'type="password"' in page
    assert 'data-busy="Checking key…"' in page


def test_the_simulated_workspace_is_one_click(signed_in: Client, elevenlabs: FakeType) -> None:
    """Its key comes from the provider type, its region is the simulated one."""
    response = signed_in.post("/providers/try-simulated/")

    provider = Provider.objects.get()
    assert response["Location"] == provider.get_absolute_url()
    assert (provider.name, provider.region) == ("Simulated workspace", "simulated")


def test_the_simulated_workspace_exists_only_in_the_embedded_default(
    signed_in: Client, elevenlabs: FakeType, settings: Settings
) -> None:
    """In production there is none to connect."""
    settings.EMBEDDED = False

    response = signed_in.post("/providers/try-simulated/")

    assert response.status_code == 404


def test_a_second_simulated_workspace_is_refused_in_words(signed_in: Client, elevenlabs: FakeType) -> None:
    """A second click does not end in an error of the server's."""
    signed_in.post("/providers/try-simulated/")

    response = signed_in.post("/providers/try-simulated/")

    assert response.status_code == 422
    assert Provider.objects.count() == 1


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


# Assigning ------------------------------------------------------------------------------------------------------------


def assign_url(provider: Provider) -> str:
    return reverse("providers:assign", args=[provider.pk])


def companies_of(provider: Provider) -> dict[str, str]:
    shares = AssignmentShare.objects.filter(assignment__project__provider=provider)
    return dict(shares.values_list("assignment__project__name", "company__name"))


def test_several_keys_are_assigned_at_once_and_undone(signed_in: Client) -> None:
    """The flash says what happened and its button takes it back."""
    provider, acme = make_provider(), make_company(name="Acme")
    keys = [make_project(provider=provider, name=name) for name in ("a", "b", "c")]
    url = assign_url(provider)

    page = signed_in.post(url, {"projects": [key.pk for key in keys], "company": acme.pk}, follow=True)
    assigned = companies_of(provider)
    change = AssignmentChange.objects.get()
    undone = signed_in.post(f"/assignments/{change.pk}/undo/", {"next": provider.get_absolute_url()})

    assert "3 keys assigned to <bdi>Acme</bdi>." in page.content.decode()
    assert f'action="/assignments/{change.pk}/undo/"' in page.content.decode()
    assert assigned == {"a": "Acme", "b": "Acme", "c": "Acme"}
    assert undone["Location"] == provider.get_absolute_url()
    assert companies_of(provider) == {}


def test_a_company_that_is_named_while_assigning_is_made_and_unmade(signed_in: Client) -> None:
    """Undo also removes the company that the act made."""
    key = make_project()

    signed_in.post(assign_url(key.provider), {"projects": key.pk, "company": "new", "new_company": " New  Co "})
    made = Company.objects.get().name
    signed_in.post(f"/assignments/{AssignmentChange.objects.get().pk}/undo/")

    assert made == "New Co"
    assert not Company.objects.exists()


def test_from_a_date_leaves_what_was_before(signed_in: Client) -> None:
    """A period is added, none is replaced."""
    key, acme, other = make_project(), make_company(), make_company()
    make_assignment(project=key, company=acme)

    signed_in.post(
        assign_url(key.provider),
        {"projects": key.pk, "company": other.pk, "applies_to": "from", "starts_on": "2026-11-15"},
    )

    periods = key.assignments.order_by("starts_on").values_list("starts_on", "shares__company")
    assert [pair[1] for pair in periods] == [acme.pk, other.pk]
    assert list(periods)[1][0] == date(2026, 11, 15)


def test_a_key_can_be_unassigned(signed_in: Client) -> None:
    """ "Unassigned" is a choice like any company."""
    key = make_project()
    make_assignment(project=key, company=make_company())

    signed_in.post(assign_url(key.provider), {"projects": key.pk, "company": "none"})

    assert companies_of(key.provider) == {}


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"projects": []}, "Choose at least one key."),
        ({"projects": ["x"]}, "Some of these keys don"),
        ({"projects": ["9" * 30]}, "Some of these keys don"),
        ({"projects": [str(number) for number in range(10_000)]}, "Choose at most 500 keys at a time."),
        ({"company": ""}, "Choose a company."),
        ({"company": "987654"}, "This company doesn"),
        ({"company": "9" * 5000}, "Choose a company."),
        ({"company": "new", "new_company": ""}, "Enter the new company"),
        ({"company": "new", "new_company": "x" * 1_000_000}, "at most 120 characters"),
        ({"company": "new", "new_company": "a\0b"}, "Null characters are not allowed."),
        ({"applies_to": "sometimes"}, "Choose “All history” or “From a date”."),
        ({"applies_to": "from", "starts_on": ""}, "Enter the date from which on it applies."),
        ({"applies_to": "from", "starts_on": "2026-02-30"}, "Write it as YYYY-MM-DD."),
        ({"applies_to": "from", "starts_on": "0001-01-01"}, "The date must be between"),
    ],
)
def test_bad_assignments_are_refused_with_a_sentence(signed_in: Client, bad: dict[str, object], sentence: str) -> None:
    """422, the reason in words, nothing written."""
    key, acme = make_project(), make_company()

    response = signed_in.post(assign_url(key.provider), {"projects": [key.pk], "company": acme.pk} | bad)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not AssignmentChange.objects.exists()
    assert Company.objects.count() == 1


def test_more_fields_than_any_form_has_are_refused(signed_in: Client) -> None:
    """The limit of the whole body, with a page of our own."""
    key = make_project()

    response = signed_in.post(assign_url(key.provider), {"projects": ["1"] * 20_000})

    assert response.status_code == 400
    assert "This request can't be read" in response.content.decode()


def test_another_providers_keys_are_refused(signed_in: Client) -> None:
    """A form assigns the keys of the provider that it names."""
    mine, foreign, acme = make_project(), make_project(), make_company()

    response = signed_in.post(assign_url(mine.provider), {"projects": [mine.pk, foreign.pk], "company": acme.pk})

    assert response.status_code == 422
    assert not AssignmentShare.objects.exists()


def test_undoing_twice_is_refused_in_words(signed_in: Client) -> None:
    """The second undo finds nothing to take back."""
    key, acme = make_project(), make_company()
    signed_in.post(assign_url(key.provider), {"projects": key.pk, "company": acme.pk})
    url = f"/assignments/{AssignmentChange.objects.get().pk}/undo/"
    signed_in.post(url)

    response = signed_in.post(url)

    assert response.status_code == 409
    assert "nothing was undone" in response.content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "x" * 5000])
def test_next_never_leads_to_another_site(signed_in: Client, target: str) -> None:
    """An unsafe address is ignored."""
    key, acme = make_project(), make_company()

    response = signed_in.post(assign_url(key.provider), {"projects": key.pk, "company": acme.pk, "next": target})

    assert response["Location"] == key.provider.get_absolute_url()


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


@pytest.mark.parametrize("path", ["/providers/try-simulated/", "/assignments/1/undo/"])
def test_other_changes_are_posts_too(signed_in: Client, path: str) -> None:
    """A link can't change anything."""
    assert signed_in.get(path).status_code == 405


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

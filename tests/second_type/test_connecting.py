"""Connecting a provider of a second type: by form and by command, and what a token that does not work is told."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from providers.models import Provider, SyncRun
from tests.factories import make_provider
from tests.pages import page_of, text_of
from tests.providers.commands import ran, refused
from tests.second_type.conftest import connect, sync
from tests.second_type.server import TOKEN, Account

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

FORM = {"provider_type": "prism", "name": "Studio", "api_key": TOKEN}


def test_form_connects_without_a_region(signed_in: Client, prism_alone: Account) -> None:
    """There is none to choose, and none is stored."""
    response = signed_in.post("/providers/add/", FORM)

    provider = Provider.objects.get()
    assert response.url == provider.get_absolute_url()  # type: ignore[attr-defined]  # it redirects
    assert (provider.type, provider.region, provider.key_last_four) == ("prism", "", TOKEN[-4:])


def test_form_speaks_the_words_of_the_type(signed_in: Client, prism_alone: Account) -> None:
    """Its fields, its help and its guide."""
    page = page_of(signed_in, "/providers/add/")

    for words in ("Access token", "Copy it from Prism's console", "“Studio Prism”", "Get a token in Prism"):
        assert words in page
    assert "residency" not in page


def test_form_of_two_types_is_chosen_by_a_link(signed_in: Client, prism_too: Account) -> None:
    """Without scripts; each has its own fields, and what was sent decides which are shown again."""
    elevenlabs, prism = (page_of(signed_in, f"/providers/add/?type={slug}") for slug in ("elevenlabs", "prism"))
    again = text_of(signed_in.post("/providers/add/", FORM | {"name": ""}).content)

    assert "Data residency" in elevenlabs
    assert "Get a key in ElevenLabs" in elevenlabs
    for page in (prism, again):
        assert "Data residency" not in page
        assert "Get a token in Prism" in page


def test_form_connects_either_of_two_types(signed_in: Client, prism_too: Account) -> None:
    """From the first page on which somebody might be: the type that is sent counts."""
    signed_in.post("/providers/add/?type=elevenlabs", FORM)

    assert Provider.objects.get().type == "prism"


def test_command_connects_and_needs_no_region(prism_alone: Account) -> None:
    """And refuses one."""
    options = ("connect_provider", "--type", "prism", "--name", "Studio", "--api-key-stdin")

    told = ran(*options, stdin=TOKEN)

    assert Provider.objects.get().pk == int(told)
    assert "no regions" in refused(*options, "--region", "global", code=2, stdin=TOKEN)


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        ((403, {"problem": "scope_missing", "scope": "billing.read"}), "The token lacks the scope billing.read. Grant"),
        ((429, {"problem": "slow_down", "seconds": "7"}), "Prism is limiting requests"),
        ((503, {"problem": "maintenance"}), "Prism is temporarily unavailable (HTTP 503)"),
        ((418, {"problem": "teapot"}), "Prism rejected the request (HTTP 418: teapot)"),
    ],
)
def test_refusal_is_said_in_the_words_of_the_type(
    signed_in: Client, prism_alone: Account, refusal: tuple[int, dict[str, Any]], sentence: str
) -> None:
    """And nothing is stored."""
    prism_alone.refusal = refusal

    page = text_of(signed_in.post("/providers/add/", FORM).content)

    assert f"Could not connect: {sentence}" in page
    assert not Provider.objects.exists()


def test_wrong_token_is_refused(signed_in: Client, prism_alone: Account) -> None:
    """As any other."""
    page = text_of(signed_in.post("/providers/add/", FORM | {"api_key": "prism-wrong"}).content)

    assert "Could not connect: Prism did not accept the API key" in page


def test_same_account_is_connected_once(signed_in: Client, prism_alone: Account) -> None:
    """It is known by its token, whatever the type."""
    connect()

    page = text_of(signed_in.post("/providers/add/", FORM | {"name": "Again"}).content)

    assert "already connected as “Studio”" in page or 'already connected as "Studio"' in page


def test_sync_that_is_refused_says_it_in_the_words_of_the_type(prism_alone: Account) -> None:
    """In the sync history; what was stored stays."""
    _provider, run = connect()
    prism_alone.refusal = (403, {"problem": "scope_missing", "scope": "billing.read"})

    done = sync(run)

    assert (done.outcome, done.error_code) == (SyncRun.Outcome.FAILED, "missing_permission")
    assert done.error_text == "The token lacks the scope billing.read. Grant it in Prism's console."


def test_token_that_an_answer_repeats_is_not_shown(prism_alone: Account) -> None:
    """The type says what its tokens look like."""
    _provider, run = connect()
    prism_alone.refusal = (418, {"problem": f"no tea for {TOKEN}"})

    done = sync(run)

    assert done.error_text == "Prism rejected the request (HTTP 418: no tea for ••••)."


def test_token_is_no_name(signed_in: Client, prism_alone: Account) -> None:
    """Names are shown to everybody."""
    response = signed_in.post("/providers/add/", FORM | {"name": TOKEN})

    assert "This looks like an API key" in text_of(response.content)
    assert TOKEN not in response.content.decode()


def test_a_provider_of_a_type_that_is_gone_still_opens(signed_in: Client, prism_alone: Account) -> None:
    """Without words of its own it is "the provider"."""
    provider = make_provider(type="elevenlabs", region="global")

    page = page_of(signed_in, provider.get_absolute_url())

    assert "Actual spend as the provider reports it" in page

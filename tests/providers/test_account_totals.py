"""Connecting with account totals: offered where a key may read no more, chosen by a person, said ever after."""

from __future__ import annotations

import pytest
from django.test import Client

from providers.models import Project, Provider
from tests.conftest import FakeType
from tests.factories import NOW, TODAY, make_project, make_provider, make_read_days, make_run, make_usage
from tests.providers.commands import ran, refused

ADD = "/providers/add/"
KEY = "sk_" + "0123456789abcdef" * 3
VALID = {"provider_type": "elevenlabs", "name": "Production", "api_key": KEY, "region": "global"}
MISSING = "Could not connect: the key works but lacks the permission `workspace_analytics_full_read`."
BUTTON = "Connect with account totals"


@pytest.fixture
def restricted(elevenlabs: FakeType) -> FakeType:
    """A key that may only read its account's totals."""
    elevenlabs.refusal, elevenlabs.offers_account_totals = MISSING, True
    return elevenlabs


def test_a_key_that_may_read_totals_is_offered_them(signed_in: Client, restricted: FakeType) -> None:
    """A second button of the same form; the key is gone, and that is said."""
    fresh = signed_in.get(ADD).content.decode()
    response = signed_in.post(ADD, VALID)

    page = response.content.decode()
    assert BUTTON not in fresh
    assert response.status_code == 422
    assert 'name="source" value="account_totals">Connect with account totals</button>' in page
    assert "no per-key costs" in page
    assert "paste it again" in page
    assert KEY not in page
    assert not Provider.objects.exists()


def test_any_other_refusal_offers_nothing(signed_in: Client, elevenlabs: FakeType) -> None:
    """A key that may read nothing has no totals either."""
    elevenlabs.refusal = MISSING

    assert BUTTON not in signed_in.post(ADD, VALID).content.decode()


def test_the_second_button_connects_with_totals(signed_in: Client, restricted: FakeType) -> None:
    """The same form with the source it names."""
    response = signed_in.post(ADD, VALID | {"source": "account_totals"})

    provider = Provider.objects.get()
    assert response["Location"] == provider.get_absolute_url()
    assert provider.source == Provider.Source.ACCOUNT_TOTALS


def test_the_second_button_stays_when_the_key_was_forgotten(signed_in: Client, restricted: FakeType) -> None:
    """Nobody has to fail twice to find it again."""
    response = signed_in.post(ADD, VALID | {"source": "account_totals", "api_key": ""})

    assert response.status_code == 422
    assert BUTTON in response.content.decode()
    assert not Provider.objects.exists()


def test_an_unknown_source_is_refused(signed_in: Client, elevenlabs: FakeType) -> None:
    """422, nothing tried."""
    response = signed_in.post(ADD, VALID | {"source": "guesswork"})

    assert response.status_code == 422
    assert elevenlabs.checked == []


def test_the_page_says_what_is_missing_and_which_permission_brings_it(signed_in: Client) -> None:
    """Only of a provider that was connected so."""
    totals = make_provider(source="account_totals")
    other = make_provider()

    assert "costs per API key are missing" in signed_in.get(totals.get_absolute_url()).content.decode()
    assert "workspace_analytics_full_read" in signed_in.get(totals.get_absolute_url()).content.decode()
    assert "costs per API key are missing" not in signed_in.get(other.get_absolute_url()).content.decode()


def test_what_single_keys_used_is_unknown(signed_in: Client) -> None:
    """Not zero: the account's row holds it. And nobody is asked to assign them."""
    provider = make_provider(source="account_totals")
    make_project(provider=provider, name="Listed key")
    account = make_project(provider=provider, external_id=Project.ACCOUNT_ID, kind=Project.Kind.ACCOUNT, name="All")
    make_usage(project=account)
    make_read_days(provider=provider, first=TODAY.replace(day=1), last=TODAY)
    make_run(provider=provider, trigger="connect", outcome="succeeded", finished_at=NOW)

    page = signed_in.get(provider.get_absolute_url()).content.decode()

    # In four cells, and once in the legend of the table's signs.
    assert page.count("Account totals tell nothing of single keys") == 5
    assert "Initial sync finished. Assign the account&#x27;s totals to a company." in page


@pytest.mark.django_db
def test_the_command_has_an_option_for_it(restricted: FakeType) -> None:
    """Which the refusal names."""
    arguments = ("connect_provider", "--type", "elevenlabs", "--name", "Production", "--api-key-stdin")

    error = refused(*arguments, stdin=KEY, code=1)
    ran(*arguments, "--account-totals", stdin=KEY)

    assert "--account-totals" in error
    assert Provider.objects.get().source == Provider.Source.ACCOUNT_TOTALS

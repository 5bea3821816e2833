"""What pages say of what is left to assign is true of what they show beside it."""

from __future__ import annotations

import pytest
from django.test import Client

from providers.models import Company, Project, Provider
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_run,
    make_usage,
)
from tests.pages import page_of

pytestmark = pytest.mark.any_engine


EVERY_KEY = "every API key belongs to a company"


@pytest.fixture
def acme(db: None) -> Company:
    return make_company(name="Acme")


def make_account(**overrides: object) -> Project:
    """The totals of an account that tells no more, and a key that it lists."""
    provider = make_provider(source=Provider.Source.ACCOUNT_TOTALS)
    make_project(provider=provider)
    make_run(provider=provider, trigger="connect", outcome="succeeded", finished_at=NOW)
    return make_project(provider=provider, external_id=Project.ACCOUNT_ID, kind=Project.Kind.ACCOUNT)


def test_unassigned_account_totals_are_named(signed_in: Client) -> None:
    """Not a word of keys that all belong to somebody."""
    make_usage(project=make_account())

    page = page_of(signed_in, "/")

    assert "from account totals" in page
    assert EVERY_KEY not in page


def test_unassigned_usage_without_a_key_is_named(signed_in: Client, acme: Company) -> None:
    """Beside keys that all belong to a company."""
    provider = make_provider()
    make_assignment(project=make_project(provider=provider), company=acme)
    make_usage(project=make_keyless(provider=provider))

    assert "from usage without an API key" in page_of(signed_in, "/")


@pytest.mark.parametrize("is_deleted", [True, False])
def test_unassigned_days_and_deleted_keys_are_named(signed_in: Client, acme: Company, *, is_deleted: bool) -> None:
    """A key that is a company's only from today on, or that is gone."""
    key = make_project(deleted_at=NOW if is_deleted else None)
    if not is_deleted:
        make_assignment(project=key, company=acme, starts_on=TODAY)
    make_usage(project=key)

    assert "from days on which keys had no company, and deleted keys" in page_of(signed_in, "/")


def test_nothing_unassigned_is_said_as_it_is(signed_in: Client, acme: Company) -> None:
    """Every key has its company and so has all usage."""
    key = make_project()
    make_assignment(project=key, company=acme)
    make_usage(project=key)

    assert EVERY_KEY in page_of(signed_in, "/")


def test_no_keys_are_not_every_key(signed_in: Client) -> None:
    """Before the first sync has found any."""
    make_provider()

    page = page_of(signed_in, "/")

    assert "no API keys yet" in page
    assert EVERY_KEY not in page


def test_account_totals_are_to_be_assigned_until_they_are(signed_in: Client, acme: Company) -> None:
    """The keys that the account lists are not counted: nothing is known of them."""
    account = make_account()
    url = account.provider.get_absolute_url()
    prompt = "Initial sync finished. Assign the account's totals to a company."

    before = page_of(signed_in, url)
    make_assignment(project=account, company=acme)
    after = page_of(signed_in, url)

    assert prompt in before
    assert "Initial sync finished" not in after
    assert "Unassigned (1)" not in before

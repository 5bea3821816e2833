"""Reading what ElevenLabs says of keys, subscription and models."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from elevenlabs_sync.payloads import (
    read_models,
    read_service_accounts,
    read_subscription,
)
from syncing.errors import UnexpectedResponseError
from tests.elevenlabs_sync.tables import KEY_HASH, OTHER_HASH


def key(**overrides: Any) -> dict[str, Any]:
    return {
        "name": "Support line",
        "hint": "a91f",
        "key_id": "k1",
        "is_disabled": False,
        "disable_reason": None,
        "hashed_xi_api_key": KEY_HASH,
    } | overrides


def accounts(*keys: Any) -> dict[str, Any]:
    return {"service-accounts": [{"service_account_user_id": "u", "name": "Clients", "api-keys": list(keys)}]}


def test_keys_of_all_service_accounts_are_listed() -> None:
    """Each account's keys are read, with their state."""
    document = {
        "service-accounts": [
            {"api-keys": [key()]},
            {"api-keys": [key(hashed_xi_api_key=OTHER_HASH, is_disabled=True, disable_reason="self_disabled")]},
            {"api-keys": []},
        ]
    }

    first, second = read_service_accounts(document)

    assert (first.external_id, first.name, first.hint, first.is_disabled) == (KEY_HASH, "Support line", "a91f", False)
    assert (second.external_id, second.is_disabled, second.disabled_reason) == (OTHER_HASH, True, "self_disabled")


def test_hint_is_never_more_than_four_characters() -> None:
    """A hint that turned out to be the key itself would be cut to its end."""
    [listed] = read_service_accounts(accounts(key(hint="sk_" + "1f2e3d4c" * 6)))

    assert listed.hint == "3d4c"


@pytest.mark.parametrize("hash_", [None, ""])
def test_key_without_hash_is_left_out(hash_: str | None) -> None:
    """A key that can't be joined to usage is no project."""
    assert read_service_accounts(accounts(key(hashed_xi_api_key=hash_))) == []


@pytest.mark.parametrize("hash_", [7, "x" * 201, "a\0", ["x"]])
def test_key_hash_that_is_no_id_is_refused(hash_: Any) -> None:
    """What identifies is never repaired."""
    with pytest.raises(UnexpectedResponseError, match="hashed_xi_api_key"):
        read_service_accounts(accounts(key(hashed_xi_api_key=hash_)))


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"service-accounts": {}}, {"service-accounts": [7]}, accounts(7), {"service-accounts": [{}]}],
)
def test_listing_of_another_shape_is_refused(document: Any) -> None:
    """A listing that was half understood would mark keys as deleted."""
    with pytest.raises(UnexpectedResponseError, match="is not a list of objects"):
        read_service_accounts(document)


def test_subscription_is_read() -> None:
    """What is shown of the plan."""
    found = read_subscription(
        {
            "tier": "scale",
            "status": "active",
            "billing_period": "monthly_period",
            "character_count": 412_000,
            "character_limit": 500_000,
            "next_character_count_reset_unix": 1_796_083_200,
            "currency": "usd",
            "current_overage": {"amount": "12.50", "currency": "USD"},
            "next_invoice": {"amount_due_cents": 9_901},
            "surplus": object(),
        }
    )

    assert found == {
        "name": "scale",
        "status": "active",
        "used": 412_000,
        "included": 500_000,
        "resets_at": "2026-12-01T00:00:00+00:00",
        "period_months": 1,
        "overage": {"amount": "12.50", "currency": "usd"},
        "next_invoice": {"amount": "99.01", "currency": "usd"},
        "currency": "usd",
    }


@pytest.mark.parametrize(
    ("refresh", "billing", "months"),
    [
        (None, "monthly_period", 1),
        (None, "3_month_period", 3),
        (None, "annual_period", 12),
        ("monthly_period", "annual_period", 1),
        (None, "", 1),
        (None, "nonsense", 1),
    ],
)
def test_credits_refresh_as_often_as_the_subscription_says(refresh: str | None, billing: str, months: int) -> None:
    """A plan that is paid by the year may refresh its credits by the month; a month where nothing is said."""
    found = read_subscription({"character_refresh_period": refresh, "billing_period": billing})

    assert found["period_months"] == months


@pytest.mark.parametrize("odd", [None, True, 7, Decimal("1.5"), "x\0", [], {}, ["usd"], {"amount": 1}])
def test_subscription_of_odd_values_is_json_without_them(odd: Any) -> None:
    """Whatever stands in a field, the result can be stored as JSON."""
    fields = ("tier", "status", "billing_period", "character_count", "currency", "current_overage", "next_invoice")
    found = read_subscription(dict.fromkeys(fields, odd))

    assert "\\u0000" not in json.dumps(found)
    assert found["currency"] == ""


@pytest.mark.parametrize("document", [None, [], "text", 7])
def test_subscription_that_is_no_object_is_refused(document: Any) -> None:
    """Anything but an object is not a subscription."""
    with pytest.raises(UnexpectedResponseError):
        read_subscription(document)


def test_model_names_are_read_and_odd_entries_left_out() -> None:
    """Display names by id; entries that could not be stored or shown are skipped."""
    found = read_models(
        [
            {"model_id": "eleven_v3", "name": "Eleven v3"},
            {"model_id": "a\0", "name": "x"},
            {"model_id": 7, "name": "x"},
            {"model_id": "nameless", "name": None},
            {"model_id": "blank", "name": " "},
            {},
            "text",
        ]
    )

    assert found == {"eleven_v3": "Eleven v3"}


def test_model_list_that_is_no_list_is_refused() -> None:
    """Anything but a list is not the models."""
    with pytest.raises(UnexpectedResponseError):
        read_models({"models": []})

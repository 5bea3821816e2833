"""Tokens: made once, shown once, stored as a digest."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry, Role
from api.forms import TokenForm
from api.models import ApiToken
from api.services import create_token, find_token, revoke_token
from api.token_text import make_token_text, read_token_text
from tests.factories import NOW, make_company, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]


def test_token_is_read_as_it_was_written() -> None:
    """Its form is fixed, so that secret scanners can know it."""
    text = make_token_text()

    assert len(text.clear) == 64
    assert text.clear.startswith(f"adm_{text.public_id}_")
    assert read_token_text(text.clear) == text


@pytest.mark.parametrize("change", ["adm_", "x", ""])
def test_look_alike_is_no_token(change: str) -> None:
    """The checksum tells, without a query."""
    clear = make_token_text().clear
    other = change + clear[len(change) :] if change == "x" else f"{change}{clear}"[:-1]

    assert read_token_text(other) is None


def test_secret_is_stored_nowhere() -> None:
    """A copy of the database opens nothing."""
    token, text = create_token(user=make_user(), name="Grafana", scopes=["costs:read"], now=NOW)

    stored = repr(list(ApiToken.objects.values())) + repr(list(AuditEntry.objects.values()))

    assert text.partition("_")[2].partition("_")[2] not in stored
    assert find_token(text=text, now=NOW) == token


def test_token_ends_by_itself() -> None:
    """After the days for which it was made."""
    _token, text = create_token(user=make_user(), name="Short", scopes=["costs:read"], now=NOW, days=1)

    assert find_token(text=text, now=NOW + timedelta(hours=23)) is not None
    assert find_token(text=text, now=NOW + timedelta(hours=25)) is None


def test_token_lasts_ninety_days_unless_another_number_is_given() -> None:
    """On the page and by the command, which say the same."""
    token, _text = create_token(user=make_user(), name="Grafana", scopes=["costs:read"], now=NOW)

    assert token.expires_at == NOW + timedelta(days=90)
    assert TokenForm(user=token.user)["days"].initial == 90


def test_making_and_revoking_are_told() -> None:
    """With what it is for, and without the token."""
    _token, text = create_token(user=make_user(username="ann"), name="Grafana", scopes=["costs:read"], now=NOW)

    revoke_token(token=ApiToken.objects.get(), now=NOW)

    made, revoked = AuditEntry.objects.filter(target_type="apitoken").order_by("pk")
    assert (made.action, revoked.action) == ("token.created", "token.revoked")
    assert made.new == {"scopes": ["costs:read"], "owner": "ann", "expires": "2027-02-20"}
    assert text not in repr(made.__dict__)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "sk_" + "1f2e3d4c" * 6}, "name"),
        ({"scopes": []}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 10**6}, "days"),
    ],
)
def test_token_that_makes_no_sense_is_refused(wrong: dict[str, Any], field: str) -> None:
    """At the field."""
    wanted: dict[str, Any] = {"name": "Grafana", "scopes": ["costs:read"], "user": make_user(), "now": NOW}

    with pytest.raises(ValidationError) as refusal:
        create_token(**wanted | wrong)

    assert list(refusal.value.message_dict) == [field]


def test_token_for_a_company_that_its_owner_does_not_see_is_refused() -> None:
    """It could never open anything."""
    owner = make_user(role=Role.COMPANY_VIEWER)

    with pytest.raises(ValidationError):
        create_token(user=owner, name="Grafana", scopes=["costs:read"], now=NOW, company=make_company())


def test_command_prints_the_token_as_its_last_word() -> None:
    """Once; it works."""
    make_user(username="ann", role=Role.VIEWER)
    make_company(name="Acme")
    printed = io.StringIO()

    call_command(
        "create_api_token",
        "--name=Grafana",
        "--user=Ann",
        "--scope=costs:read",
        "--scope=statements:read",
        "--company=acme",
        "--days=30",
        stdout=printed,
        stderr=io.StringIO(),
    )

    token = ApiToken.objects.get()
    assert find_token(text=printed.getvalue().split()[-1], now=NOW) == token
    assert (token.scopes, token.company and token.company.name) == (["costs:read", "statements:read"], "Acme")
    assert token.expires_at == NOW + timedelta(days=30)


@pytest.mark.parametrize("wrong", ["--user=bob", "--company=Globex", "--days=0", "--name= "])
def test_command_refuses_bad_input(wrong: str) -> None:
    """Exit code 2, and a sentence."""
    make_user(username="ann")
    arguments = ["--name=Grafana", "--user=ann", "--scope=costs:read", wrong]

    with pytest.raises(CommandError) as refusal:
        call_command("create_api_token", *arguments, stdout=io.StringIO())

    assert refusal.value.returncode == 2

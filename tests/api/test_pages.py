"""Settings → API tokens, and the page that describes the API."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import Role
from api.models import ApiToken
from api.services import create_token, find_token
from tests.accounts.conftest import forget_confirming
from tests.api.asking import make_token
from tests.factories import NOW, make_company, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def test_token_is_shown_once(signed_in: Client, operator: User) -> None:
    """When it was made; it works, and no page shows it again."""
    fields = {"name": "Grafana", "scopes": ["costs:read"], "days": "90"}

    made = signed_in.post("/settings/tokens/add/", fields)

    (text,) = re.findall(r'value="(adm_[^"]+)"', made.content.decode())
    token = find_token(text=text, now=NOW)
    assert made.status_code == 201
    assert token is not None
    assert token.user == operator
    assert text not in signed_in.get("/settings/tokens/").content.decode()


def test_making_one_needs_a_recent_confirmation(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that was left open makes none."""
    client.force_login(make_user())
    monkeypatch.setattr("accounts.middleware.is_confirmed", lambda _request: False)

    client.post("/settings/tokens/add/", {"name": "Grafana", "scopes": ["costs:read"], "days": "90"})

    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        (Role.ADMIN, 6),
        (Role.MEMBER, 5),
        (Role.VIEWER, 3),
        (Role.COMPANY_VIEWER, 2),
    ],
)
def test_only_what_the_person_may_is_offered(client: Client, role: Role, offered: int) -> None:
    """A scope that opens nothing would promise something."""
    client.force_login(make_user(role=role))

    form = client.get("/settings/tokens/add/").context["form"]

    assert len(form.fields["scopes"].choices) == offered


def test_company_viewer_is_offered_its_companies(client: Client) -> None:
    """And learns of no other."""
    acme = make_company(name="Acme")
    make_company(name="Globex")
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[acme]))

    page = client.get("/settings/tokens/add/").content.decode()

    assert "Acme" in page
    assert "Globex" not in page


def test_refusal_stands_at_its_field(signed_in: Client) -> None:
    """422, and nothing is made."""
    answer = signed_in.post("/settings/tokens/add/", {"name": " ", "days": "0"})

    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"name", "scopes", "days"}


def test_everybody_sees_and_revokes_their_own(client: Client) -> None:
    """Of somebody else's there is nothing to see."""
    make_token(user=make_user(username="ann"))
    own, _text = create_token(user=make_user(username="bob"), name="Mine", scopes=["costs:read"], now=NOW)
    client.force_login(own.user)
    foreign = ApiToken.objects.exclude(pk=own.pk).get()

    page = client.get("/settings/tokens/").content.decode()
    refused = client.post(f"/settings/tokens/{foreign.pk}/revoke/")
    client.post(f"/settings/tokens/{own.pk}/revoke/")

    assert "Mine" in page
    assert "Script" not in page
    assert refused.status_code == 404
    assert ApiToken.objects.exclude(revoked_at=None).get() == own


def test_admin_sees_and_revokes_everybody_s(signed_in: Client) -> None:
    """Whose it is stands beside it."""
    make_token(user=make_user(username="ann"))

    page = signed_in.get("/settings/tokens/").content.decode()
    signed_in.post(f"/settings/tokens/{ApiToken.objects.get().pk}/revoke/")

    assert "ann" in page
    assert ApiToken.objects.exclude(revoked_at=None).exists()


def test_browser_that_was_left_open_revokes_nothing(signed_in: Client) -> None:
    """What stops another person's program asks first who it is."""
    make_token(user=make_user(username="ann"))
    forget_confirming(signed_in)

    answer = signed_in.post(f"/settings/tokens/{ApiToken.objects.get().pk}/revoke/")

    assert answer.status_code == 403
    assert ApiToken.objects.get().revoked_at is None


def test_documentation_is_a_page_of_ours(signed_in: Client) -> None:
    """Every operation with its scope; nothing is loaded from anywhere else, and no script is in it."""
    page = signed_in.get("/api/v1/docs").content.decode()

    assert "GET /api/v1/costs" in page
    assert "attribution:write" in page
    assert not re.findall(r"(?:src|href)=\"https?:", page)
    assert not re.findall(r"<script(?![^>]*src=)", page)
    assert "style=" not in page

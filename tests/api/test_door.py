"""The door: a token is worth no more than its owner is at the moment, and may ask so often."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from pytest_django.fixtures import Settings
from redis.exceptions import RedisError

from accounts.models import AuditEntry, Membership, Role
from accounts.services.members import change_role, deactivate_member, remove_member
from api.models import ApiToken
from api.services import create_token, revoke_token
from api.token_text import make_token_text
from tests.api.asking import Api, make_token
from tests.factories import NOW, make_company, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now"), pytest.mark.any_engine]


@pytest.mark.parametrize("wrong", ["", "nonsense", "adm_", "Bearer"])
def test_wrong_token_gets_no_reason(wrong: str) -> None:
    """The same as none at all."""
    none, answer = Api().get("/costs"), Api(wrong).get("/costs")

    assert (none.status_code, answer.status_code) == (401, 401)
    assert none.content == answer.content
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Content-Type"] == "application/problem+json"


def test_secret_of_another_token_opens_nothing() -> None:
    """The public id alone is nothing."""
    first, second = make_token_text(), make_token_text()
    create_token(user=make_user(), name="One", scopes=["costs:read"], now=NOW)

    mixed = type(first)(ApiToken.objects.get().public_id, second.secret).clear

    assert Api(mixed).get("/costs").status_code == 401


def test_revoked_token_opens_nothing() -> None:
    """From the next request on."""
    text = make_token()
    api = Api(text)
    before = api.get("/costs").status_code

    revoke_token(token=ApiToken.objects.get(), now=NOW)

    assert (before, api.get("/costs").status_code) == (200, 401)


@pytest.mark.parametrize("end", [deactivate_member, remove_member])
def test_token_dies_with_its_owner(end: Any) -> None:
    """Whoever is kept out is kept out everywhere."""
    owner = make_user(role=Role.VIEWER)
    api = Api(make_token(user=owner))
    before = api.get("/costs").status_code

    end(user=owner)

    assert (before, api.get("/costs").status_code) == (200, 401)


def test_token_follows_its_owner_s_role() -> None:
    """It never does more than its owner may now."""
    make_user(role=Role.ADMIN)
    acme = make_company()
    owner = make_user(role=Role.ADMIN)
    api = Api(make_token(user=owner))
    before = api.get("/costs", group_by="provider").status_code

    change_role(user=owner, role=Role.COMPANY_VIEWER, companies=[acme])

    assert (before, api.get("/costs", group_by="provider").status_code) == (200, 403)


def test_token_waits_for_its_owner_s_second_factor(settings: Settings) -> None:
    """As every page does, once the time for it is over."""
    owner = make_user(role=Role.ADMIN)
    api = Api(make_token(user=owner))
    settings.REQUIRE_TWO_FACTOR = "admins"
    before = api.get("/costs").status_code

    Membership.objects.filter(user=owner).update(two_factor_due_at=NOW - timedelta(seconds=1))

    assert (before, api.get("/costs").status_code) == (200, 403)


def test_scope_that_lacks_is_named() -> None:
    """403: the token is right, and not for this."""
    answer = Api(make_token(scopes=["audit:read"])).get("/costs")

    assert answer.status_code == 403
    assert "costs:read" in answer.json()["detail"]


def test_use_is_written_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write for each request would be a write for each reading."""
    api = Api(make_token())
    seen = []

    for seconds in (0, 59, 60):
        monkeypatch.setattr("django.utils.timezone.now", lambda moment=NOW + timedelta(seconds=seconds): moment)
        api.get("/costs")
        seen.append(ApiToken.objects.get().last_used_at)

    assert seen == [NOW, NOW, NOW + timedelta(seconds=60)]


def test_new_address_is_told_once() -> None:
    """By whom and from where; of IPv6 the network, within which a machine changes its address."""
    api = Api(make_token())

    for address in ("192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2"):
        api.client.get("/api/v1/costs", headers=api.headers, REMOTE_ADDR=address)

    told = AuditEntry.objects.filter(action="token.used_from_new_address").order_by("pk")
    assert [entry.new["address"] for entry in told] == ["192.0.2.1", "2001:db8::"]
    assert {entry.actor for entry in told} == {ApiToken.objects.get().user}


def test_requests_are_limited_for_each_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The headers say how many are left; beyond the last one 429 says when to come back."""
    monkeypatch.setattr("api.rates.LIMIT", 2)
    api, other = Api(make_token()), Api(make_token())

    answers = [api.get("/costs") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0]["RateLimit"].startswith('"token";r=1;t=')
    assert answers[2].json()["status"] == 429
    assert int(answers[2]["Retry-After"]) > 0
    assert other.get("/costs").status_code == 200


@pytest.mark.parametrize("path", ["/costs", "/costs?nonsense=1", "/audit", "/statements/7/2026-11", "/costs?from=x"])
def test_every_answer_tells_what_is_left(path: str) -> None:
    """Refusals as well, and an answer that is not sent again: 600 a minute."""
    api = Api(make_token(role=Role.VIEWER))
    first = api.get(path)

    again = api.get(path, headers={"If-None-Match": first.get("ETag", "")})

    assert first["RateLimit-Policy"] == again["RateLimit-Policy"] == '"token";q=600;w=60'
    assert [answer["RateLimit"].partition(";t=")[0] for answer in (first, again)] == ['"token";r=599', '"token";r=598']


def test_nobody_is_held_up_where_nothing_can_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that is out of reach costs the limit, not the answer."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise RedisError("out of reach")

    monkeypatch.setattr(type(caches["rates"]), "add", fail)

    assert Api(make_token()).get("/costs").status_code == 200


def test_wrong_tokens_are_limited_for_each_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """And hold up nobody whose token is right."""
    monkeypatch.setattr("api.rates.LIMIT", 2)
    right = Api(make_token())

    answers = [Api("wrong").get("/costs").status_code for _ in range(3)]

    assert answers == [401, 401, 429]
    assert right.get("/costs").status_code == 200

"""Second factors: setting them up, the second step of signing in, and what a copy of the database gives away."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import Role
from providers.services.rotating import rotate_encryption_keys
from tests.accounts.conftest import Announcement, forget_confirming
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

RIGHT = {"login": "anna", "password": "a-long-password"}
SET_UP = "/settings/security/authenticator-app/add/"
CODES = "/settings/security/recovery-codes/"


@pytest.fixture
def anna() -> User:
    return make_user(username="anna", role=Role.MEMBER)


@pytest.fixture
def confirmed(client: Client, anna: User) -> Client:
    """A browser in which Anna is signed in and has just confirmed that it is her."""
    client.post("/accounts/login/", RIGHT)
    client.post("/accounts/confirm/", {"password": "a-long-password"})
    return client


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The time step that codes are made for; a test moves it on, because no code is taken twice."""
    step = [1_000_000]
    monkeypatch.setattr(auth, "yield_hotp_counters_from_time", lambda: iter(step))
    return step


def code_of(secret: str, step: int) -> str:
    return str(auth.format_hotp_value(auth.hotp_value(secret, step)))


def set_up(client: Client, steps: list[int]) -> str:
    """Set up an authenticator app as a person does; returns the app's secret."""
    page = client.get(SET_UP).content.decode()
    secret = re.findall(r"<code>([A-Z2-7]{32})</code>", page)[0]
    client.post(SET_UP, {"code": code_of(secret, steps[0])})
    steps[0] += 1
    return str(secret)


def test_setting_up_asks_for_the_password_first(client: Client, anna: User) -> None:
    """A browser that was left open is not enough."""
    client.post("/accounts/login/", RIGHT)
    forget_confirming(client)

    response = client.get(SET_UP)

    assert response["Location"] == f"/accounts/confirm/?next={SET_UP.replace('/', '%2F')}"


@pytest.mark.parametrize("path", [SET_UP, "/settings/security/passkeys/add/"])
def test_confirming_with_a_wrong_password_opens_nothing(client: Client, anna: User, path: str) -> None:
    """422, and the page stays closed."""
    client.post("/accounts/login/", RIGHT)
    forget_confirming(client)

    refused = client.post("/accounts/confirm/", {"password": "not-the-password", "next": path})

    assert refused.status_code == 422
    assert "This is not your password." in refused.content.decode()
    assert client.get(path).status_code == 302


def test_confirming_never_leads_to_another_site(client: Client, anna: User) -> None:
    """An unsafe `next` is ignored."""
    client.post("/accounts/login/", RIGHT)

    response = client.post("/accounts/confirm/", {"password": "a-long-password", "next": "https://evil.example/"})

    assert response["Location"] == "/"


def test_the_qr_code_is_part_of_the_page(confirmed: Client) -> None:
    """No image, no data: address, no inline style: the policy allows none of them."""
    response = confirmed.get(SET_UP)

    page = response.content.decode()
    assert '<svg class="qr" role="img"' in page
    assert "data:" not in page
    assert "style=" not in page
    assert "data:" not in response["Content-Security-Policy"]


@pytest.mark.django_db(transaction=True)  # what is told after the commit
def test_signing_in_takes_the_code_then(
    confirmed: Client, anna: User, steps: list[int], announced: list[Announcement]
) -> None:
    """After the password, in a browser that knows nothing yet."""
    secret = set_up(confirmed, steps)
    client = Client()

    first = client.post("/accounts/login/", RIGHT | {"next": "/settings/security/"})
    between = client.get("/settings/security/")
    second = client.post("/accounts/second-step/", {"code": code_of(secret, steps[0])})

    assert first["Location"] == "/accounts/second-step/"
    assert between["Location"].startswith("/accounts/login/")
    assert second["Location"] == "/settings/security/"
    assert client.get("/settings/security/").status_code == 200
    assert Announcement("two_factor.enabled", anna, anna, {}, {"type": "totp"}) in announced
    assert announced[-1] == Announcement("session.signed_in", anna, anna, {}, {"by": ["password", "totp"]})


def test_a_wrong_code_is_refused_and_told(
    confirmed: Client, anna: User, steps: list[int], announced: list[Announcement]
) -> None:
    """422, without the code in the log."""
    set_up(confirmed, steps)
    client = Client()
    client.post("/accounts/login/", RIGHT)

    response = client.post("/accounts/second-step/", {"code": "000000"})

    assert response.status_code == 422
    assert "This code is not right" in response.content.decode()
    assert announced[-1] == Announcement("session.sign_in_failed", anna, anna, {}, {"step": "second factor"})


def test_codes_are_throttled_too(confirmed: Client, steps: list[int]) -> None:
    """The sixth is told how long to wait, even if it is right, and in whatever browser."""
    secret = set_up(confirmed, steps)
    for _attempt in range(5):
        client = Client()
        client.post("/accounts/login/", RIGHT)
        client.post("/accounts/second-step/", {"code": "000000"})

    client = Client()
    client.post("/accounts/login/", RIGHT)
    response = client.post("/accounts/second-step/", {"code": code_of(secret, steps[0])})

    assert response.status_code == 422
    assert "Too many attempts. Try again in 5 minutes." in response.content.decode()


def test_who_knows_the_password_locks_nobody_out_of_the_second_step(
    client: Client, confirmed: Client, steps: list[int]
) -> None:
    """A browser in which both were right once is spared what happens in others."""
    secret = set_up(confirmed, steps)
    for _attempt in range(6):
        stranger = Client()
        stranger.post("/accounts/login/", RIGHT)
        stranger.post("/accounts/second-step/", {"code": "000000"})

    client.post("/accounts/logout/")
    client.post("/accounts/login/", RIGHT)
    response = client.post("/accounts/second-step/", {"code": code_of(secret, steps[0])})

    assert response.status_code == 302


def test_a_code_signs_in_once(confirmed: Client, steps: list[int]) -> None:
    """Who looks over a shoulder is too late."""
    secret = set_up(confirmed, steps)
    code = code_of(secret, steps[0])
    answers = []
    for _attempt in range(2):
        client = Client()
        client.post("/accounts/login/", RIGHT)
        answers.append(client.post("/accounts/second-step/", {"code": code}).status_code)

    assert answers == [302, 422]


def test_a_recovery_code_signs_in_once(confirmed: Client, steps: list[int]) -> None:
    """Ten are made with the first factor."""
    set_up(confirmed, steps)
    codes = re.findall(r"<li><code>(\d{8})</code></li>", confirmed.get(CODES).content.decode())
    answers = []
    for _attempt in range(2):
        client = Client()
        client.post("/accounts/login/", RIGHT)
        answers.append(client.post("/accounts/second-step/", {"code": codes[0]}).status_code)

    assert len(codes) == 10
    assert answers == [302, 422]
    assert "9 of 10 left" in confirmed.get("/settings/security/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_recovery_codes_can_be_saved_and_made_anew(
    confirmed: Client, anna: User, steps: list[int], announced: list[Announcement]
) -> None:
    """As a file; new ones replace the old."""
    set_up(confirmed, steps)
    saved = confirmed.get(f"{CODES}download/")

    confirmed.post(f"{CODES}new/")

    old = re.findall(r"^\d{8}$", saved.content.decode(), re.MULTILINE)
    new = re.findall(r"<code>(\d{8})</code>", confirmed.get(CODES).content.decode())
    assert "attachment" in saved["Content-Disposition"]
    assert len(old) == len(new) == 10
    assert not set(old) & set(new)
    assert announced[-1].action == "two_factor.recovery_codes_made"


def test_a_copy_of_the_database_opens_no_account(confirmed: Client, steps: list[int]) -> None:
    """The secrets are encrypted with the keys that API keys are encrypted with."""
    secret = set_up(confirmed, steps)

    stored = {factor.type: factor.data for factor in Authenticator.objects.all()}

    assert secret not in str(stored)
    assert stored["totp"]["secret"].startswith("gAAAA")
    assert stored["recovery_codes"]["seed"].startswith("gAAAA")


def test_without_its_encryption_key_a_code_is_refused_in_words(
    confirmed: Client, steps: list[int], settings: Settings
) -> None:
    """422 and 302 with what to do, no error page."""
    secret = set_up(confirmed, steps)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    client = Client()
    client.post("/accounts/login/", RIGHT)

    step = client.post("/accounts/second-step/", {"code": code_of(secret, steps[0])})
    codes = confirmed.get(CODES)
    download = confirmed.get(f"{CODES}download/")

    assert step.status_code == 422
    assert "Ask an Admin to reset its two-factor." in step.content.decode()
    assert codes["Location"] == download["Location"] == "/settings/security/"


def test_rotated_keys_keep_second_factors_working(confirmed: Client, steps: list[int], settings: Settings) -> None:
    """With the old encryption key gone, app and recovery codes still sign in."""
    secret = set_up(confirmed, steps)
    saved = re.findall(r"^\d{8}$", confirmed.get(f"{CODES}download/").content.decode(), re.MULTILINE)
    new = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, *settings.ENCRYPTION_KEYS]

    rotated = sum(rotation.rotated for rotation in rotate_encryption_keys())
    settings.ENCRYPTION_KEYS = [new]

    answers = []
    for code in (code_of(secret, steps[0]), saved[0]):
        client = Client()
        client.post("/accounts/login/", RIGHT)
        answers.append(client.post("/accounts/second-step/", {"code": code}).status_code)
    assert rotated == 2
    assert answers == [302, 302]


def test_removing_the_app_takes_its_codes_along(
    confirmed: Client, anna: User, steps: list[int], announced: list[Announcement]
) -> None:
    """The password alone signs in again, and it is told."""
    set_up(confirmed, steps)

    confirmed.post("/settings/security/authenticator-app/remove/")

    assert not Authenticator.objects.exists()
    assert Client().post("/accounts/login/", RIGHT)["Location"] == "/"
    assert announced[-2] == Announcement("two_factor.disabled", anna, anna, {"type": "totp"}, {})


@pytest.mark.parametrize("path", ["rename/", "remove/"])
def test_nobody_touches_the_passkeys_of_others(confirmed: Client, path: str) -> None:
    """404, as if there were none."""
    data = {"name": "Berta's", "credential": {}}
    key = Authenticator.objects.create(user=make_user(), type=Authenticator.Type.WEBAUTHN, data=data)

    for response in (
        confirmed.get(f"/settings/security/passkeys/{key.pk}/{path}"),
        confirmed.post(f"/settings/security/passkeys/{key.pk}/{path}", {"name": "Mine"}),
    ):
        assert response.status_code == 404
    key.refresh_from_db()
    assert key.data["name"] == "Berta's"


@pytest.mark.parametrize("credential", ["", "{}", "null", "[]", '"text"', '{"id": "x"}', "not json"])
def test_a_forged_passkey_is_refused(client: Client, confirmed: Client, credential: str) -> None:
    """Adding and signing in: whatever is sent, nothing is added, nobody is signed in, nothing breaks."""
    added = confirmed.post("/settings/security/passkeys/add/", {"name": "Mine", "credential": credential})
    stranger = Client()
    signed_in = stranger.post("/accounts/login/passkey/", {"credential": credential})

    assert added.status_code == 422
    assert not Authenticator.objects.exists()
    assert signed_in["Location"] == "/accounts/login/"
    assert stranger.get("/settings/").status_code == 302

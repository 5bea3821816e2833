"""What somebody tries who means harm: addresses, methods, forms, headers and names that no browser of ours would send.

Who may open what is pinned in tests/accounts/test_access.py, the sign-in's own defences in tests/accounts; here are the
attacks that cut across the pages.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import Invitation, Role
from accounts.services.inviting import accept_invitation, invite
from accounts.single_sign_on import _find_or_make, verified_email
from administrate.logs import JsonFormatter, LineFormatter
from administrate.wsgi import application
from providers.models import AssignmentChange, Provider
from tests.factories import (
    NOW,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_rule,
    make_user,
)
from tests.pages import content_of

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
RIGHT = {"login": "anna", "password": "a-long-password"}


@pytest.fixture
def anna() -> User:
    return make_user(username="anna", role=Role.MEMBER)


@pytest.fixture
def admin(client: Client) -> Client:
    """A browser of an Admin that is answered with 500 where a view fails."""
    client.force_login(make_user(role=Role.ADMIN))
    client.raise_request_exception = False
    return client


@pytest.fixture
def stranger() -> Client:
    """Somebody who is not signed in; a failing view answers with 500."""
    return Client(raise_request_exception=False)


# --- Where a form leads back to ---------------------------------------------------------------------------------------

ELSEWHERE = (
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https:///evil.example",
    "http:\\\\evil.example",
    " //evil.example",
    "\t//evil.example",
    "/\t/evil.example",
    "\x08//evil.example",
    "https://testserver@evil.example",
    "https://testserver.evil.example",
    "//testserver@evil.example",
    "https://evil。example",
    "／／evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "http://[::1",
    # A word is no address: redirect() would look for a URL of that name.
    "dashboard",
    "nonsense",
    "?a",
    "#a",
    "/" + "a" * 3000,
)


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_no_form_leads_to_another_site(admin: Client, anna: User, stranger: Client, elsewhere: str) -> None:
    """Whatever `next` says: choosing a theme, undoing, being refused, signing in and out go where they always go."""
    change = AssignmentChange.objects.create(made_at=NOW, summary="", before={}, after={})
    provider = make_provider()
    wanted = {"next": elsewhere}

    theme = admin.post("/settings/theme/", wanted | {"theme": "dark"})
    undone = admin.post(f"/assignments/{change.pk}/undo/", wanted)
    refused = admin.post(f"/providers/{provider.pk}/assign/", wanted)
    signed_in = stranger.post("/accounts/login/", wanted | RIGHT)
    signed_out = stranger.post("/accounts/logout/", wanted)

    assert theme["Location"] == "/settings/"
    assert undone["Location"] == "/"
    assert f'href="{provider.get_absolute_url()}"' in content_of(refused)
    assert signed_in["Location"] == "/"
    assert signed_out["Location"] == "/accounts/login/"


# --- Methods ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_other_methods_open_nothing(admin: Client, stranger: Client, method: str) -> None:
    """Neither what is public nor what an Admin may open."""
    paths = ("/accounts/login/", "/", "/settings/", "/providers/add/", "/exports/usage.csv", "/healthz", "/readyz")

    answers = {(path, who.generic(method, path).status_code) for path in paths for who in (admin, stranger)}

    assert {answer for answer in answers if answer[1] not in {302, 405, 422}} == set()
    assert ("/providers/add/", 405) in answers


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS"])
def test_no_method_gets_past_the_door(method: str, anna: User) -> None:
    """A Company viewer is told of a provider by none of them, a Viewer changes nothing."""
    provider = make_provider(name="Hidden workspace")
    reader, viewer = Client(), Client()
    reader.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[make_company()]))
    viewer.force_login(make_user(role=Role.VIEWER))
    path = provider.get_absolute_url()

    for page in (path, f"{path}rename/", "/exports/usage.csv", "/settings/about/"):
        assert reader.generic(method, page).status_code == 404
    for page in (f"{path}rename/", f"{path}delete/", f"{path}key/", "/settings/members/"):
        assert viewer.generic(method, page).status_code == 403


# --- What is kept by others -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/", "/providers/", "/?csv=days", "/exports/usage.csv", "/settings/security/", "/nothing-here/", "/companies/99/"],
)
def test_nobody_keeps_a_copy_of_an_answer(admin: Client, stranger: Client, path: str) -> None:
    """No proxy, and no browser that the next person goes back in: neither pages, files, redirects nor errors."""
    for who in (admin, stranger):
        assert "no-store" in who.get(path)["Cache-Control"]


def test_a_browser_that_signs_in_gets_another_session(stranger: Client, anna: User) -> None:
    """Whoever has planted or seen the one from before does not come in with it."""
    session = stranger.session
    session["planted"] = True
    session.save()
    planted = str(session.session_key)

    stranger.post("/accounts/login/", RIGHT)

    assert stranger.get("/settings/").status_code == 200
    other = Client()
    other.cookies["sessionid"] = planted
    assert other.get("/settings/").status_code == 302


# --- Bodies, encodings, cookies ---------------------------------------------------------------------------------------


def test_files_fill_no_disk(stranger: Client) -> None:
    """Nothing here takes a file; one of more than a form's size is refused before it is read, by who is signed out."""
    response = stranger.post("/accounts/login/", {"login": SimpleUploadedFile("x", b"x" * 3_000_000)})

    assert response.status_code == 400
    assert "This request can't be read" in content_of(response)


@pytest.mark.parametrize("encoding", ["hex", "rot13", "idna", "utf-16", "unicode_escape", "utf-8", "nonsense"])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", FORM])
def test_every_form_is_read_as_utf_8(kind: str, encoding: str) -> None:
    """Some of what Python calls an encoding decodes no text at all, and some gives text that can't be stored.

    The whole entry point is asked: Django reads the encoding before any of our code runs.
    """
    body = b'--x\r\nContent-Disposition: form-data; name="login"\r\n\r\n\\ud800\r\n--x--\r\n'
    answered: list[str] = []

    def start(status: str, _headers: object, _error: object = None, /) -> Any:
        answered.append(status)

    for query in ("", "next=%5Cud800"):
        asked = RequestFactory().post(f"/accounts/login/?{query}", body, content_type=FORM).environ
        application(asked | {"CONTENT_TYPE": f"{kind}; charset={encoding}"}, start)

    assert answered == ["403 Forbidden"] * 2  # it has no token


@pytest.mark.parametrize("cookie", ['sessionid="abcdefgh\\000ijklmnop"', 'csrftoken="\\000"', 'theme="dark\\000"'])
def test_nul_in_a_cookie_is_refused(stranger: Client, cookie: str) -> None:
    """A quoted cookie may hold it, and PostgreSQL fails on it; nobody needs to be signed in to send one."""
    assert stranger.get("/", headers={"Cookie": cookie}).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/admin/auth/user/?membership__role=%00",
        "/admin/providers/provider/?q=%00",
        "/admin/providers/provider/?name=a&name=%00",
    ],
)
def test_the_django_admin_is_not_asked_for_nul(admin: Client, path: str) -> None:
    """400 instead of the database's own refusal."""
    assert admin.get(path).status_code == 400


HOSTILE = (
    "a\0b",
    "9" * 40,
    "9" * 17,
    "-1",
    "2026-99-99",
    "9999-12-31",
    "٣٣",
    "²",
    "\ufffd",
    "NaN",
    "1e400",
    "a" * 99_999,
)


# Sent in one field at a time, too, so that another one's refusal does not hide what becomes of it.
MOST_HOSTILE = HOSTILE[:2]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_no_form_fails_on_a_hostile_value(admin: Client, value: str) -> None:
    """Every form of an Admin's with the value in every field: refused, or taken for what it is, never 500."""
    provider, company = make_provider(), make_company()
    make_keyless(provider=provider)
    member, rule = make_user(), make_rule(company=company)
    page, key = provider.get_absolute_url(), make_project(provider=provider)
    forms: dict[str, tuple[str, ...]] = {
        "/settings/": ("first_name", "last_name"),
        "/settings/theme/": ("theme", "next"),
        "/settings/members/invite/": ("role", "companies", "email"),
        f"/settings/members/{member.pk}/": ("role", "companies"),
        f"/settings/members/{member.pk}/remove/": ("confirmed_name",),
        "/companies/add/": ("name", "notes", "markup_percent"),
        f"{company.get_absolute_url()}edit/": ("name", "notes", "markup_percent"),
        "/rules/add/": ("kind", "pattern", "company", "provider"),
        f"/rules/{rule.pk}/edit/": ("kind", "pattern", "company", "provider"),
        f"/rules/{rule.pk}/move/": ("direction",),
        "/rules/apply/": ("applies_to", "starts_on", "fingerprint"),
        "/providers/add/": ("provider_type", "name", "api_key", "region", "source"),
        f"{page}rename/": ("name",),
        f"{page}key/": ("api_key", "same_workspace"),
        f"{page}resync/": ("first", "last"),
        f"{page}delete/": ("history", "confirmed_name"),
        f"{page}keyless/": ("sharing",),
        f"{page}credit-rate/": ("rate", "currency", "credit_rate", "credit_rate_currency"),
        f"{page}assign/": ("projects", "company", "new_company", "applies_to", "starts_on", "next"),
        f"{page}split/": ("projects", "company_0", "percent_0", "save", "applies_to", "starts_on", "remove"),
        "/accounts/password/change/": ("oldpassword", "password1", "password2"),
    }
    usual = {"role": "company_viewer", "applies_to": "from", "projects": str(key.pk), "kind": "contains"}

    failed = [
        (path, name or "all", answer.status_code)
        for path, fields in forms.items()
        for name in (None, *(fields if value in MOST_HOSTILE else ()))
        for sent in [{field: value if name in (None, field) else usual.get(field, "x") for field in fields}]
        for answer in [admin.post(path, sent)]
        if answer.status_code not in {302, 400, 403, 409, 422, 429}
    ]

    assert [failure for failure in failed if failure[2] != 201 and "members/invite" not in failure[0]] == []
    assert all(status == 201 for path, _name, status in failed if "members/invite" in path)


def test_ten_thousand_keys_are_refused_in_words(admin: Client) -> None:
    """As many as a form may have; more than that is no form any more."""
    path = f"{make_provider().get_absolute_url()}assign/"

    many = admin.post(path, "&".join(f"projects={number}" for number in range(10_000)), content_type=FORM)
    more = admin.post(path, "&".join(f"projects={number}" for number in range(13_000)), content_type=FORM)

    assert (many.status_code, more.status_code) == (422, 400)
    assert "Choose at most 2000 keys at a time." in content_of(many)


# --- Names that look alike --------------------------------------------------------------------------------------------

KELVIN, DOTLESS = "\N{KELVIN SIGN}", "\N{LATIN SMALL LETTER DOTLESS I}"


@pytest.fixture
def upper_case_of_all_languages(transactional_db: None) -> Iterator[None]:
    """As PostgreSQL in an English locale compares: "ı" in capitals is "I"."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite knows capitals of ASCII alone.")
    columns = (("auth_user", "username", 150), ("accounts_invitation", "email", 254))
    with connection.cursor() as cursor:
        for table, column, length in columns:
            cursor.execute(f'ALTER TABLE {table} ALTER {column} TYPE varchar({length}) COLLATE "en-x-icu"')
    yield
    with connection.cursor() as cursor:
        for table, column, length in columns:
            cursor.execute(f'ALTER TABLE {table} ALTER {column} TYPE varchar({length}) COLLATE "default"')


@pytest.mark.parametrize("address", [f"mi{KELVIN}e@example.com", f"m{DOTLESS}ke@example.com", "ｍike@example.com"])
def test_a_mail_address_that_looks_alike_is_nobodys(address: str) -> None:
    """Single sign-on knows people by it: in lower case the Kelvin sign is a "k"."""
    make_invitation("mike@example.com")

    email = verified_email({"userinfo": {"email": address, "email_verified": True}})

    assert email == ""
    assert _find_or_make(email) is None


def test_a_domain_that_looks_alike_is_another(upper_case_of_all_languages: None) -> None:
    """The database finds the invitation by it; it is not for them, before and after somebody has accepted it."""
    invitation = make_invitation("anna@wiki.example")
    assert Invitation.objects.filter(email__iexact=f"anna@w{DOTLESS}ki.example").exists()

    assert _find_or_make(f"anna@w{DOTLESS}ki.example") is None
    anna = accept_invitation(invitation=invitation, username="anna", password=None, now=timezone.now())
    assert _find_or_make(f"anna@w{DOTLESS}ki.example") is None
    assert _find_or_make("anna@wiki.example") == anna


def test_a_name_that_looks_alike_signs_nobody_in(upper_case_of_all_languages: None, stranger: Client) -> None:
    """The throttle would count its attempts apart from those of the real name."""
    make_user(username="mia")
    assert User.objects.filter(username__iexact=f"m{DOTLESS}a").exists()

    alike = stranger.post("/accounts/login/", RIGHT | {"login": f"m{DOTLESS}a"})
    real = stranger.post("/accounts/login/", RIGHT | {"login": "MIA"})

    assert (alike.status_code, real.status_code) == (422, 302)


def make_invitation(email: str) -> Invitation:
    return invite(
        role=Role.VIEWER, companies=[], email=email, invited_by=make_user(role=Role.ADMIN), now=timezone.now()
    )[0]


# --- The log ----------------------------------------------------------------------------------------------------------


class Written(logging.Handler):
    """What both forms of the log would hold."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += [LineFormatter().format(record), JsonFormatter().format(record)]


@pytest.fixture
def log() -> Iterator[Written]:
    """Everything that is logged, requests included, as in production."""
    written, requests = Written(), logging.getLogger("administrate.requests")
    level = requests.level
    logging.getLogger().addHandler(written)
    requests.setLevel(logging.INFO)
    yield written
    requests.setLevel(level)
    logging.getLogger().removeHandler(written)


def test_an_invitation_is_in_no_line_of_the_log(log: Written) -> None:
    """Django names the whole path of a form without a token; somebody who reads the log must not come in by it."""
    _invitation, token = invite(
        role=Role.ADMIN, companies=[], email="", invited_by=make_user(role=Role.ADMIN), now=timezone.now()
    )
    visitor = Client(enforce_csrf_checks=True)

    visitor.get(f"/accounts/invitations/{token}/")
    visitor.post(f"/accounts/invitations/{token}/")
    visitor.get(f"/accounts/invitations/{token}/more")

    assert len(log.lines) >= 8
    assert [line for line in log.lines if token in line] == []


def test_nobody_writes_a_line_of_the_log_by_an_address(log: Written, stranger: Client) -> None:
    """Line breaks and what steers a terminal are escaped."""
    stranger.get("/nothing%0a2026-11-22 12:00:00 ERROR forged%1b[31m/")

    assert log.lines
    assert all("\n" not in line and "\x1b" not in line for line in log.lines)


def test_strangers_write_no_errors(log: Written, stranger: Client) -> None:
    """A wrong host and a huge body are a line each, without a traceback: whoever scans for holes raises no alarm."""
    wrong = stranger.get("/", headers={"Host": "198.51.100.7"})
    huge = stranger.post("/accounts/login/", {"login": SimpleUploadedFile("x", b"x" * 3_000_000)})

    assert (wrong.status_code, huge.status_code) == (400, 400)
    assert len(log.lines) == 4
    assert [line for line in log.lines if "Traceback" in line or "rror" in line] == []


# --- The Django admin -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["encrypted_key", "key_fingerprint"])
def test_the_django_admin_answers_no_guesses_about_keys(admin: Client, field: str) -> None:
    """A filter on a column that is not shown would tell it letter by letter."""
    provider = make_provider(name="Guessed workspace")
    guess = getattr(Provider.objects.get(pk=provider.pk), field)[:8]

    response = admin.get(f"/admin/providers/provider/?{field}__startswith={guess}")

    assert (response.status_code, response["Location"]) == (302, "/admin/providers/provider/?e=1")

"""What comes with a request beside its path – query, cookies, Authorization – stands in no log and no error report."""

from __future__ import annotations

import logging
import runpy

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from administrate.error_reports import NoQueryReporter
from administrate.logs import JsonFormatter, LineFormatter, scrub
from tests.services.product import ROOT

pytestmark = pytest.mark.any_engine


CODE = "4/0AX4XfWh-code"


def written(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, in both forms."""
    return "\n".join(kind().format(record) for record in caplog.records for kind in (LineFormatter, JsonFormatter))


@pytest.fixture
def all_of_it(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Also what the settings keep quiet."""
    for name in ("django", "django.request", "django.security.csrf", "administrate.requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


@pytest.mark.django_db
def test_error_line_holds_no_query(
    all_of_it: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """A single sign-on that ends as an error of ours leaves no code behind, neither in the record's own request."""

    def fail(*_arguments: object) -> HttpResponse:
        raise RuntimeError(f"no answer from https://id.example/token?code={CODE}")

    settings.OIDC_ENABLED = True
    monkeypatch.setattr("allauth.socialaccount.providers.openid_connect.views.callback", fail)
    Client(raise_request_exception=False).get("/accounts/sso/callback/", {"code": CODE, "state": "s"})

    log = written(all_of_it)
    assert "Internal Server Error: /accounts/sso/callback/" in log
    assert "RuntimeError: no answer from https://id.example/token?••••" in log
    assert CODE not in log


@pytest.mark.django_db
def test_csrf_line_holds_no_query(all_of_it: pytest.LogCaptureFixture, settings: Settings) -> None:
    """Django tells the page that a form came from, with everything."""
    settings.ALLOWED_HOSTS = ["costs.example"]
    strict = Client(enforce_csrf_checks=True, headers={"Host": "costs.example"})

    strict.get("/accounts/login/", secure=True)
    strict.post("/accounts/login/?next=/x", secure=True, headers={"Referer": f"https://evil.example/back?code={CODE}"})

    log = written(all_of_it)
    assert "Referer checking failed - https://evil.example/back?••••" in log
    assert CODE not in log
    assert "next=" not in log


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"GET '/accounts/sso/callback/?code={CODE}&state=x'", "GET '/accounts/sso/callback/?••••'"),
        (f"Error handling request /sso/?code={CODE}", "Error handling request /sso/?••••"),
        (f"Cookie: theme=dark; sessionid={CODE}", "Cookie: ••••"),
        (f"'HTTP_COOKIE': 'sessionid={CODE}; a=b', 'x': 1", "'HTTP_COOKIE': '••••', 'x': 1"),
        (f"Set-Cookie: sessionid={CODE}; Path=/", "Set-Cookie: ••••"),
        (f"('Authorization', 'Digest a=b, response={CODE}')", "('Authorization', 'Digest ••••')"),
        (f"'HTTP_AUTHORIZATION': 'Bearer {CODE}'", "'HTTP_AUTHORIZATION': 'Bearer ••••'"),
    ],
)
def test_query_and_headers_are_masked_in_any_line(text: str, kept: str) -> None:
    """Whoever writes it: the web server, a library, a traceback."""
    assert scrub(text) == kept


@pytest.mark.parametrize("text", ["Why? Because.", "CSRF cookie not set.", "a ? b : c"])
def test_sentences_stay_as_they_are(text: str) -> None:
    """A question mark alone begins no query."""
    assert scrub(text) == text


def report(request: HttpRequest) -> str:
    reporter = NoQueryReporter(request, ValueError, ValueError("no such thing"), None)
    return reporter.get_traceback_html() + reporter.get_traceback_text()


def test_error_report_holds_no_query() -> None:
    """Nor cookies, nor what signs somebody in, nor where they came from; the path is told."""
    headers = {"Authorization": f"Bearer {CODE}", "Referer": f"http://testserver/?q={CODE}"}
    request = RequestFactory(headers=headers).get("/accounts/sso/callback/", {"code": CODE})
    request.COOKIES["anything"] = CODE

    text = report(request)

    assert "/accounts/sso/callback/" in text
    assert CODE not in text
    assert CODE.replace("/", "%2F") not in text


def test_access_log_of_gunicorn_holds_no_query(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """It is off, and says only the path when somebody switches it on."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))

    found = runpy.run_path(str(ROOT / "gunicorn.conf.py"))

    assert found["accesslog"] is None
    assert not {"%(r)s", "%(q)s", "%(f)s"} & set(found["access_log_format"].replace('"', " ").split())

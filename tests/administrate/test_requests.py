"""What surrounds every request: ids, the line in the log, the probes' short way."""

from __future__ import annotations

import logging

import pytest
from django.conf import settings
from django.db import OperationalError
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import Client, RequestFactory

from administrate.logs import LineFormatter
from administrate.requests import answer_head_without_a_body

pytestmark = pytest.mark.any_engine


LOGGER = "administrate.requests"


@pytest.fixture
def line(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger=LOGGER)
    return caplog


def test_every_answer_names_its_request(client: Client, db: None) -> None:
    """A new id each time."""
    one, other = client.get("/accounts/login/")["X-Request-ID"], client.get("/nothing-here/")["X-Request-ID"]

    assert len(one) == len(other) == 16
    assert one != other


def test_proxys_id_is_kept(client: Client) -> None:
    """So that both logs can be put side by side."""
    answer = client.get("/nothing-here/", headers={"X-Request-ID": "6f1d0cd8-41c1-4f0e-9d56-1f3f0c2b7a11"})

    assert answer["X-Request-ID"] == "6f1d0cd8-41c1-4f0e-9d56-1f3f0c2b7a11"


@pytest.mark.parametrize(
    "given", ["short", "x" * 65, "with spaces in it", "sk_0123456789", "línea-larga", '"quoted-id"']
)
def test_id_that_is_not_sane_is_replaced(client: Client, given: str) -> None:
    """Nobody writes into our log what they like."""
    answer = client.get("/nothing-here/", headers={"X-Request-ID": given.encode().decode("latin-1")})

    assert len(answer["X-Request-ID"]) == 16


def test_request_is_one_line(client: Client, line: pytest.LogCaptureFixture) -> None:
    """Method, path without its query, status, milliseconds, id – and the id is gone afterwards."""
    answer = client.get("/nothing-here/?secret=1", headers={"X-Request-ID": "abc-12345"})

    [record] = [record for record in line.records if record.name == LOGGER]
    assert answer.status_code == 404
    assert record.getMessage() == "GET /nothing-here/ 404"
    assert vars(record).items() >= {("method", "GET"), ("path", "/nothing-here/"), ("status", 404)}
    assert isinstance(vars(record)["ms"], int)
    assert "abc-12345" not in LineFormatter().format(record)


def test_token_in_a_path_is_not_logged(client: Client, line: pytest.LogCaptureFixture) -> None:
    """Whoever reads the log must not be able to accept somebody's invitation."""
    client.get("/invitations/MjI6c2VjcmV0:1tKx0a:Qn3yT9cZ/")

    assert line.records[-1].getMessage() == "GET /invitations/••••/ 404"


@pytest.mark.parametrize("path", ["/healthz", "/static/administrate/base.css"])
def test_probes_and_files_are_not_logged(client: Client, db: None, line: pytest.LogCaptureFixture, path: str) -> None:
    """They would bury the rest."""
    answer = client.get(path)
    answer.close()

    assert answer.status_code == 200
    assert line.records == []


def test_process_that_is_up_says_so_without_its_database(
    client: Client, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    """Also to somebody with a session, and whatever host is asked for: nothing before the answer reads a row."""
    client.cookies["sessionid"] = "a" * 32

    def away(*_arguments: object) -> None:
        raise OperationalError("the database is away")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", away)

        assert client.get("/healthz", headers={"Host": "10.0.0.7:8000"}).status_code == 200
        assert client.get("/readyz").json()["database"] == "unreachable"


def test_redirect_is_told_to_the_script_that_asks(client: Client) -> None:
    """The browser would follow it unseen, and use up the messages that wait for the next page."""
    followed, told = client.get("/settings/"), client.get("/settings/", headers={"X-In-Place": "1"})

    assert (followed.status_code, told.status_code) == (302, 204)
    assert told["Location"] == followed["Location"] == "/accounts/login/?next=/settings/"


@pytest.mark.parametrize(
    ("answer", "length"), [(HttpResponse(b"a page"), "6"), (StreamingHttpResponse(iter([b"a", b"download"])), None)]
)
def test_head_is_answered_without_a_body(rf: RequestFactory, answer: HttpResponseBase, length: str | None) -> None:
    """By the application itself, with the length that GET would have; the test client would hide it."""
    answered = answer_head_without_a_body(lambda _request: answer)(rf.head("/"))

    assert b"".join(answered) == b""
    assert answered.get("Content-Length") == length


def test_head_is_left_to_no_other_middleware() -> None:
    """The first of all but the one that logs, so that it finds the answer as it would be sent."""
    assert settings.MIDDLEWARE[1] == "administrate.requests.answer_head_without_a_body"

"""What surrounds every answer: problems, freshness of copies, compression, and what is asked of whom."""

from __future__ import annotations

import gzip
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from providers.models import Company
from tests.api.asking import Api, make_token
from tests.factories import make_project, make_usage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now"), pytest.mark.any_engine]


@pytest.fixture
def api() -> Api:
    return Api(make_token())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/", 404), ("POST", "/costs", 405), ("GET", "/companies/1/nothing", 404)],
)
def test_every_error_is_a_problem(api: Api, method: str, path: str, status: int) -> None:
    """Also of an address that is none, and a method that is none of an operation."""
    answer: Any = api.client.generic(method, f"/api/v1{path}", headers=api.headers)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status


@pytest.mark.parametrize("debug", [False, True])
def test_error_of_ours_tells_nothing(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    debug: bool,  # noqa: FBT001 - a parameter of tests
) -> None:
    """No stack trace, whatever the settings."""
    settings.DEBUG = debug
    monkeypatch.setattr("api.endpoints.costs.grouped_costs", lambda _query: 1 / 0)

    answer = api.get("/costs")

    assert answer.status_code == 500
    assert answer.json() == {"type": "about:blank", "title": "Internal Server Error", "status": 500}


def test_head_is_answered_as_get_without_the_body(api: Api) -> None:
    """With the same status and headers."""
    answer: Any = api.client.head("/api/v1/costs", headers=api.headers)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["ETag"] == api.get("/costs")["ETag"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": "Acme", "notes": "\\udfff"}',
        b'{"name": "Acme", "name": "Globex"}',
        b"[" * 100_000,
        b'{"name": "Acme", "markup_percent": ' + b"9" * 5000 + b"}",
    ],
    ids=["unfinished", "no-text", "half-a-character", "half-in-notes", "twice", "deep", "long-number"],
)
def test_body_that_can_not_be_read_is_refused(api: Api, body: bytes) -> None:
    """400, with a problem, and nothing is stored."""
    answer: Any = api.client.post("/api/v1/companies", body, content_type="application/json", headers=api.headers)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert not Company.objects.exists()


@pytest.mark.parametrize("path", ["/costs", "/projects"])
def test_what_is_the_same_is_not_sent_again(api: Api, path: str) -> None:
    """By ETag; a change has another one."""
    make_usage()
    first = api.get(path)

    again = api.get(path, headers={"If-None-Match": first["ETag"]})
    make_usage()
    changed = api.get(path, headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_answers_are_compressed(api: Api, accept: str) -> None:
    """For who takes it, streamed ones too."""
    project = make_project()
    for number in range(20):
        make_usage(project=project, day=date(2026, 11, 1) - timedelta(days=number))

    answer = api.get("/costs", {"group_by": "day"}, headers={"Accept-Encoding": "gzip", "Accept": accept})

    assert answer["Content-Encoding"] == "gzip"
    assert b"2026-10-30" in gzip.decompress(answer.getvalue())


def test_answer_is_kept_by_nobody_else(api: Api) -> None:
    """Neither by a proxy nor for another token."""
    answer = api.get("/costs")

    assert answer["Cache-Control"] == "private, no-cache"
    assert "Authorization" in answer["Vary"]
    assert "Set-Cookie" not in answer


def test_document_is_open_and_complete() -> None:
    """OpenAPI 3.1, every operation with its problems."""
    document = Client().get("/api/v1/openapi.json").json()

    assert document["openapi"].startswith("3.1")
    costs = document["paths"]["/api/v1/costs"]["get"]
    assert {"from", "to", "group_by", "company", "cursor"} <= {one["name"] for one in costs["parameters"]}
    assert {"200", "401", "403", "422", "429"} <= set(costs["responses"])
    assert costs["x-scope"] == "costs:read"

"""Few large answers at a time, so that small ones always find a thread."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import RequestFactory

from administrate.large_answers import PLACES, SMALL, THREADS, bound_large_answers
from core.responses import before_sending

# Closing an answer looks after the connection to the database.
pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    return rf.get("/")


def endless() -> Iterator[bytes]:
    while True:
        yield b"x" * 1000


def download(_request: HttpRequest) -> HttpResponseBase:
    return StreamingHttpResponse(endless())


def short_download(_request: HttpRequest) -> HttpResponseBase:
    return StreamingHttpResponse(iter([b"a,b\n"] * 1000))


def file(_request: HttpRequest) -> HttpResponseBase:
    return FileResponse(BytesIO(b"x" * (SMALL + 1)))


def page(_request: HttpRequest) -> HttpResponseBase:
    return HttpResponse(b"x" * SMALL)


def large_page(_request: HttpRequest) -> HttpResponseBase:
    return HttpResponse(b"x" * (SMALL + 1))


@pytest.mark.parametrize("view", [download, file, large_page])
def test_more_than_there_are_places_for_come_again(request_: HttpRequest, view: Any) -> None:
    """With a page that says so and when; who left makes room."""
    answer = bound_large_answers(view)
    held = [answer(request_) for _place in range(PLACES)]

    refused = answer(request_)
    refused.close()
    held[0].close()

    assert [each.status_code for each in held] == [200] * PLACES
    assert (refused.status_code, refused["Retry-After"]) == (503, "30")
    assert answer(request_).status_code == 200


@pytest.mark.parametrize(("view", "length"), [(page, SMALL), (short_download, 4000)])
def test_small_answers_need_no_place(request_: HttpRequest, view: Any, length: int) -> None:
    """Any number of them, whole."""
    answer = bound_large_answers(view)

    assert {len(b"".join(answer(request_))) for _each in range(PLACES + 1)} == {length}


def test_large_download_is_whole(request_: HttpRequest) -> None:
    """What was made to see whether it is large comes first."""
    lines = [f"{number}\n".encode() for number in range(SMALL)]

    answer = bound_large_answers(lambda _request: StreamingHttpResponse(iter(lines)))(request_)

    assert b"".join(answer) == b"".join(lines)


@pytest.mark.parametrize(("view", "sent"), [(download, PLACES), (short_download, PLACES + 2)])
def test_only_what_is_sent_is_told(request_: HttpRequest, view: Any, sent: int) -> None:
    """A download that has to come again has not left."""
    told: list[HttpResponseBase] = []

    def telling_view(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = view(request)
        before_sending(response, lambda: told.append(response))
        return response

    answer = bound_large_answers(telling_view)
    _held = [answer(request_) for _download in range(PLACES + 2)]

    assert len(told) == sent


def test_settings_of_the_web_server_load_before_django_is_set_up() -> None:
    """gunicorn reads them in its own process, which never sets Django up."""
    done = subprocess.run([sys.executable, "gunicorn.conf.py"], cwd=settings.BASE_DIR, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


def test_pages_keep_threads_of_their_own() -> None:
    """Also when both kinds of large answers hold all their places."""
    assert THREADS - 2 * PLACES >= 4

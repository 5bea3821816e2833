"""A web process has few threads, and a client that reads a large answer slowly holds one all the while.

What is small goes into the buffer that the kernel keeps for the connection, and its thread is free at once
(gunicorn.conf.py). Only some of the threads may be held by what is larger, so that pages and probes always have one.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from threading import BoundedSemaphore

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.loader import render_to_string

from administrate.theme import theme_of
from core.responses import begin_sending

THREADS = 12
# Of each kind at a time. Files need no sign-in: by themselves they can't take the downloads' places.
PLACES = 4
# Bytes that are sent, however slowly they are read.
SMALL = 200_000
RETRY_AFTER_SECONDS = 30

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def bound_large_answers(get_response: GetResponse) -> GetResponse:
    """503, with when to come back, for a download or a large file while others hold all places for it."""
    files, downloads = BoundedSemaphore(PLACES), BoundedSemaphore(PLACES)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not _is_large(response):
            begin_sending(response)
            return response
        places = files if isinstance(response, FileResponse) else downloads
        if not places.acquire(blocking=False):
            response.close()
            return _come_again(request)
        # Called once, when it was sent or its reader has gone.
        response._resource_closers.append(places.release)  # type: ignore[attr-defined]  # the stubs leave it out
        begin_sending(response)
        return response

    return middleware


def _is_large(response: HttpResponseBase) -> bool:
    """Of a download as much is made as tells; most end before, and need no place."""
    if isinstance(response, FileResponse):
        return int(response["Content-Length"]) > SMALL
    if isinstance(response, StreamingHttpResponse):
        chunks = iter(response)
        begun = b""
        for chunk in chunks:
            begun += chunk
            if len(begun) > SMALL:
                break
        response.streaming_content = chain([begun], chunks)
        return len(begun) > SMALL
    return isinstance(response, HttpResponse) and len(response.content) > SMALL


def _come_again(request: HttpRequest) -> HttpResponse:
    text = render_to_string("busy.html", {"theme": theme_of(request)})
    return HttpResponse(text, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})

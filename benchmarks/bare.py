"""Django and waitress alone: a process that answers whatever it is asked with the bytes of a file.

python -m benchmarks.bare PORT FILE
"""

from __future__ import annotations

import sys
from pathlib import Path

import django
import waitress
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import re_path

from administrate.large_answers import THREADS

_, _port, _file = sys.argv
_body = Path(_file).read_bytes()


def answer(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(_body, content_type="application/json")


urlpatterns = [re_path("", answer)]

if __name__ == "__main__":
    settings.configure(ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF="__main__", SECRET_KEY="of nothing", MIDDLEWARE=[])  # noqa: S106
    django.setup()
    waitress.serve(WSGIHandler(), host="127.0.0.1", port=int(_port), threads=THREADS, _quiet=True)

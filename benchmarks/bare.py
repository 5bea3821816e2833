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
from django.http import HttpResponse
from django.urls import URLPattern, re_path

from administrate.large_answers import THREADS

urlpatterns: list[URLPattern] = []


def main(port: int, file: Path) -> None:
    body = file.read_bytes()
    urlpatterns.append(re_path("", lambda _request: HttpResponse(body, content_type="application/json")))
    settings.configure(ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF="__main__", SECRET_KEY="of nothing", MIDDLEWARE=[])  # noqa: S106
    django.setup()
    waitress.serve(WSGIHandler(), host="127.0.0.1", port=port, threads=THREADS, _quiet=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))

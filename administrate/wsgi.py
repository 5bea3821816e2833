"""The WSGI entry point for gunicorn (production) and waitress (embedded)."""

import logging
import os
import sys
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.urls import get_resolver
from django.utils.http import parse_header_parameters

from administrate.garbage import spare_what_is_loaded

logger = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "administrate.settings")


class Request(WSGIRequest):
    """Reads forms and addresses as UTF-8, which is all that browsers send, whatever charset the request claims.

    Django believes it. Python knows encodings that decode no text ("hex"): with one of those, anybody could make even
    the making of a request fail, before there is a page that says so.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class Handler(WSGIHandler):
    request_class = Request


try:
    django.setup(set_prefix=False)
except ImproperlyConfigured as error:
    sys.exit(f"administrate: {error}")
application = Handler()
get_resolver().url_patterns  # noqa: B018 - which loads every page, not only for the first visitor
spare_what_is_loaded()

if not settings.LOOPBACK_ONLY and not settings.TRUSTED_PROXIES:
    logger.warning(
        "TRUSTED_PROXIES is not set: all visitors who come through a proxy count as one address, "
        "in the sign-in throttle and in the audit log."
    )

"""What Django's error pages (DEBUG) and error mails may show of a failing request.

Never a form, never a variable, and of its address the path alone.
"""

from __future__ import annotations

import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

# Where servers put the query, whole addresses, and what signs somebody in; addresses of pages before hold queries too.
_HIDDEN_OF_A_REQUEST = frozenset(
    {"QUERY_STRING", "HTTP_REFERER", "HTTP_COOKIE", "HTTP_AUTHORIZATION", "REQUEST_URI", "RAW_URI", "CSRF_COOKIE"}
)


class NoValuesFilter(SafeExceptionReporterFilter):
    """Leaves out what a key or password could stand in; which lines failed is still told.

    Django's own filter masks only what it knows by name, and nothing at all while DEBUG is on.
    """

    # Among the settings and the environment also addresses that may hold a password.
    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|(DATABASE|REDIS|BROKER)_URL", re.IGNORECASE
    )

    def is_active(self, _request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.POST if request else {}, self.cleansed_substitute)

    def get_traceback_frame_variables(self, _request: HttpRequest | None, _frame: FrameType) -> ItemsView[str, Any]:
        empty: dict[str, Any] = {}
        return empty.items()

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        meta = super().get_safe_request_meta(request)
        return meta | dict.fromkeys(_HIDDEN_OF_A_REQUEST & meta.keys(), self.cleansed_substitute)

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return dict.fromkeys(super().get_safe_cookies(request), self.cleansed_substitute)


class NoQueryReporter(ExceptionReporter):
    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        if self.request is not None:
            hidden = self.filter.cleansed_substitute
            data["request_GET_items"] = [(name, hidden) for name in self.request.GET]
            data["request_insecure_uri"] = data["request_insecure_uri"].partition("?")[0]
        return data

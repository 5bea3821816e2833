"""What Django's error pages (DEBUG) and error mails may show of a failing request: never a form, never a variable."""

from __future__ import annotations

import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


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

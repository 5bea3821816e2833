"""The API's addresses, and the pages about it."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from api import views
from api.v1 import patterns

api_urls: list[URLPattern | URLResolver] = [
    path("api/v1/docs", views.documentation, name="api_docs"),
    path("api/v1/", include((patterns(), "api"))),
    path(
        "settings/tokens/",
        include(
            (
                [
                    path("", views.token_list, name="list"),
                    path("add/", views.add_token, name="add"),
                    path("<int:pk>/revoke/", views.revoke, name="revoke"),
                ],
                "tokens",
            )
        ),
    ),
]

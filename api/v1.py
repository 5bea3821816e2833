"""Version 1 of the API: what it is made of, under one address, described by /api/v1/openapi.json."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver

from api import problems
from api.document import Api
from api.endpoints import attribution, companies, costs, explaining, logs, providers, statements, watching
from api.strictness import StrictParser

api = Api(
    title="Administrate",
    version="1",
    description=(
        "What your companies, providers and API keys used and cost. Amounts are exact decimals as text, and null where "
        "they are unknown. Days are UTC. Every error is a problem as RFC 9457 describes it."
    ),
    docs_url=None,
    parser=StrictParser(),
    urls_namespace="api",
)
problems.install(api)
for module in (costs, companies, statements, providers, attribution, explaining, watching, logs):
    api.add_router("", module.router)


def patterns() -> list[URLPattern | URLResolver]:
    """The operations have a door of their own (api.doors): the pages' sign-in has no say here."""
    urls, _app, _namespace = api.urls
    for url in urls:
        if isinstance(url, URLPattern):
            url.callback = login_not_required(url.callback)
    return urls

"""To the identity provider and back."""

from __future__ import annotations

import logging
from typing import Literal

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.single_sign_on import refusal

logger = logging.getLogger(__name__)

NO_ANSWER = "The sign-in service does not answer as it should. Try again in a minute."


@login_not_required
@never_cache
@require_safe
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """By a link and not a form: the policy lets no form end at another site. Of the address only `next` counts."""
    wanted = QueryDict(mutable=True)
    if "next" in request.GET:
        wanted["next"] = request.GET["next"]
    if request.user.is_authenticated:  # to confirm who it is: the provider must ask, and not just know the browser
        wanted["auth_params"] = "prompt=login"
    request.GET = wanted  # type: ignore[assignment]  # no scope, parameter or purpose of somebody else's choice
    return _guarded("login", request, provider_id)


@login_not_required
@never_cache
@require_safe
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _guarded("callback", request, provider_id)


def _guarded(step: Literal["login", "callback"], request: HttpRequest, provider_id: str) -> HttpResponse:
    """A provider that is away or talks nonsense is a sentence on a page; the log has the kind of error."""
    if not settings.OIDC_ENABLED:
        raise Http404
    # Loaded where it is used alone: its HTTP client is a tenth of what a process loads.
    from allauth.socialaccount.providers.oauth2.client import OAuth2Error
    from allauth.socialaccount.providers.openid_connect import views as openid_connect
    from requests import RequestException

    view = {"login": openid_connect.login, "callback": openid_connect.callback}[step]
    try:
        answer: HttpResponse = view(request, provider_id)
    except (RequestException, OAuth2Error, KeyError, TypeError, ValueError) as error:
        logger.warning("Single sign-on failed: %s", type(error).__name__)
        answer = refusal(request, NO_ANSWER, status=502)
    return answer

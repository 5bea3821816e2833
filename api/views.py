"""Settings → API tokens, and the page that describes the API: all of it for people, by their sign-in."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MANAGE
from api.document import described
from api.forms import TokenForm
from api.models import ApiToken, ApiTokenQuerySet
from api.services import create_token, revoke_token
from api.v1 import api
from core.responses import add_errors


@require_safe
def token_list(request: HttpRequest) -> HttpResponse:
    """The own tokens; for who manages people everybody's."""
    now = timezone.now()
    tokens = _visible(request).select_related("user", "company")
    context = {
        "tokens": [(token, token.state(now)) for token in tokens],
        "sees_all": request.user.has_perm(MANAGE),
    }
    return render(request, "api/tokens.html", context)


@never_cache  # the token is shown once
@require_http_methods(["GET", "HEAD", "POST"])
def add_token(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - accounts.access has seen to it; for the type checker
    form = TokenForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid():
        try:
            token, text = create_token(user=request.user, now=timezone.now(), **form.cleaned_data)
        except ValidationError as refusal:
            add_errors(form, refusal)
        else:
            return render(request, "api/token_made.html", {"token": token, "text": text}, status=201)
    return render(request, "api/token_form.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(_visible(request), pk=pk, revoked_at=None)
    revoke_token(token=token, now=timezone.now())
    messages.success(request, "The token is revoked. It opens nothing any more.")
    return redirect("tokens:list")


@require_safe
def documentation(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document as a page."""
    return render(request, "api/docs.html", {"groups": described(api.get_openapi_schema())})


def _visible(request: HttpRequest) -> ApiTokenQuerySet:
    tokens = ApiToken.objects.all()
    return tokens if request.user.has_perm(MANAGE) else tokens.filter(user=request.user.pk)

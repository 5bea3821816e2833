"""Settings → Notifications: how one is told; and what is watched."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import role_of
from accounts.models import Role
from alerts.forms import PreferencesForm, RuleForm, SubscriptionForm, rule_forms
from alerts.models import Preferences, Subscription
from alerts.permissions import MANAGE_ENDPOINTS
from alerts.services import people
from alerts.services.raising import preferences_of
from alerts.services.rules import save_rules
from alerts.services.testing import raise_test_alert
from core.request_helpers import person, sentences
from core.responses import problem
from providers.permissions import SEE_PROVIDERS


@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    stored = Preferences.objects.filter(user=user).first()
    preferences = stored or preferences_of(user, role=role_of(request) or Role.COMPANY_VIEWER)
    form = PreferencesForm(request.POST if request.method == "POST" else None, instance=preferences)
    if form.is_valid():
        people.save_preferences(preferences=form.instance)
        messages.success(request, "Saved.")
        return redirect("notifications:own")
    decides = request.user.has_perm(MANAGE_ENDPOINTS)
    context = {
        "form": form,
        "sees_all": request.user.has_perm(SEE_PROVIDERS),
        "decides": decides,
        "has_mail": settings.MAIL_IS_SET_UP,
        "address": preferences.address,
        "subscriptions": _visible(user, decides=decides),
        "subscribing": SubscriptionForm(user=user, decides_for_clients=decides),
    }
    return render(request, "alerts/notifications.html", context, status=422 if form.errors else 200)


@require_POST
def send_test(request: HttpRequest) -> HttpResponse:
    raise_test_alert(now=timezone.now(), sent_by=person(request))
    messages.success(request, "A test alert is on its way to everybody and everything that alerts go to.")
    return redirect("notifications:own")


@require_POST
def subscribe(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    form = SubscriptionForm(request.POST, user=user, decides_for_clients=user.has_perm(MANAGE_ENDPOINTS))
    if not form.is_valid():
        return problem(request, "This subscription can't be made", sentences(form), reverse("notifications:own"))
    people.subscribe(**form.cleaned_data, made_by=user)
    messages.success(request, "Saved.")
    return redirect("notifications:own")


@require_POST
def unsubscribe(request: HttpRequest, pk: int) -> HttpResponse:
    user = _user(request)
    subscription = get_object_or_404(_visible(user, decides=user.has_perm(MANAGE_ENDPOINTS)), pk=pk)
    people.unsubscribe(subscription=subscription, made_by=user)
    messages.success(request, "The subscription was deleted.")
    return redirect("notifications:own")


@require_http_methods(["GET", "HEAD", "POST"])
def watched(request: HttpRequest) -> HttpResponse:
    """Every rule in its own words; who decides may switch each off and set its limit."""
    if request.method != "POST":
        return _rules(request, rule_forms(None), status=200)
    if not request.user.has_perm(MANAGE_ENDPOINTS):
        raise PermissionDenied
    forms = rule_forms(request.POST)
    if not all([form.is_valid() for form in forms]):  # noqa: C419 - each of them, so that every refusal is said
        return _rules(request, forms, status=422)
    save_rules(settings=[form.setting for form in forms], made_by=person(request))
    messages.success(request, "Saved.")
    return redirect("notifications:watched")


def _rules(request: HttpRequest, forms: Sequence[RuleForm], *, status: int) -> HttpResponse:
    context = {"forms": forms, "decides": request.user.has_perm(MANAGE_ENDPOINTS)}
    return render(request, "alerts/watched.html", context, status=status)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - accounts.access has seen to it; for the type checker
    return request.user


def _visible(user: User, *, decides: bool) -> QuerySet[Subscription]:
    """The own ones; for who decides for Company viewers theirs, too. A Company viewer's own are an Admin's decision."""
    found = Subscription.objects.select_related("user", "company").order_by("user__username", "company__name")
    own = found.filter(user=user) if user.has_perm(SEE_PROVIDERS) else found.none()
    return own | found.filter(user__membership__role=Role.COMPANY_VIEWER) if decides else own

"""Assigning API keys to companies, and taking it back."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from providers.forms import AssignForm
from providers.models import AssignmentChange, Provider
from providers.services.assigning import UndoConflictError, assign_projects, get_or_create_company, undo_assignment
from providers.views.answers import problem


@require_POST
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    provider = get_object_or_404(Provider, pk=pk)
    back = _next_url(request) or provider.get_absolute_url()
    form = AssignForm(request.POST, provider=provider)
    if not form.is_valid():
        return problem(request, "The keys were not assigned", _sentences(form), back)
    now = timezone.now()
    try:
        with transaction.atomic():
            company, is_new = form.cleaned_data["existing_company"], False
            if form.cleaned_data["new_company"]:
                company, is_new = get_or_create_company(name=form.cleaned_data["new_company"])
            change = assign_projects(
                projects=form.cleaned_data["projects"],
                company=company,
                starts_on=form.cleaned_data["starts_on"],
                now=now,
                made_by=_person(request),
                created_company=is_new,
            )
    except ValidationError as refusal:
        return problem(request, "The keys were not assigned", refusal.messages, back)
    messages.success(request, change.summary, extra_tags=reverse("providers:undo", args=[change.pk]))
    return redirect(back)


@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    change = get_object_or_404(AssignmentChange, pk=pk)
    back = _next_url(request) or reverse("dashboard")
    try:
        undo_assignment(change=change, now=timezone.now())
    except UndoConflictError as refusal:
        return problem(request, "This can't be undone any more", [str(refusal)], back, status=409)
    messages.success(request, f"Undone: {change.summary}")
    return redirect(back)


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _sentences(form: AssignForm) -> list[str]:
    return [str(sentence) for errors in form.errors.values() for sentence in errors]


def _next_url(request: HttpRequest) -> str:
    """The same-site address that the form asks to go back to; empty where it names another site."""
    url = request.POST.get("next", "")
    safe = len(url) <= 2000 and url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if safe else ""

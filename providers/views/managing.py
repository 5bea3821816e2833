"""What the menu of a provider's page leads to: rename, replace the key, pause, resume, re-sync a range, delete.

Each is a small page with a form. What it may do is the services' business; here are the words and the way back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from core.names import isolated
from core.responses import add_errors
from core.wording import count, joined
from providers import registry
from providers.forms import DeleteForm, RenameForm, ReplaceKeyForm, ResyncForm
from providers.models import Project, Provider
from providers.services.connecting import AlreadyConnectedError
from providers.services.managing import (
    OtherWorkspaceError,
    UnconfirmedWorkspaceError,
    delete_provider,
    disconnect_provider,
    pause_provider,
    rename_provider,
    replace_key,
    resume_provider,
)
from providers.services.queueing import request_manual_sync
from providers.views.responses import hand_over
from providers.views.syncing import why_no_sync

# What costs may still change within; offered first when a range is read again.
RESYNC_DAYS = 35


@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    provider = get_object_or_404(Provider, pk=pk)
    name = provider.name
    form = RenameForm(request.POST) if request.method == "POST" else RenameForm(initial={"name": name})
    if form.is_valid():
        try:
            rename_provider(provider=provider, name=form.cleaned_data["name"])
        except ValidationError as refusal:
            add_errors(form, refusal)
        else:
            done = format_html("{} is now called {}.", isolated(name), isolated(provider.name))
            messages.success(request, done)
            return redirect(provider)
    return _page(request, "providers/rename.html", provider, name, form)


@sensitive_post_parameters("api_key")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def replace_api_key(request: HttpRequest, pk: int) -> HttpResponse:
    """The new key is tried first; until it has proved itself the stored one stays and keeps syncing."""
    provider = get_object_or_404(Provider, pk=pk)
    form = ReplaceKeyForm(request.POST if request.method == "POST" else None)
    form.fields["api_key"].help_text = registry.words_of(provider.type).new_key_help
    asks_to_confirm = bool(form.data.get("same_workspace"))
    if form.is_valid():
        try:
            run = replace_key(
                provider=provider,
                api_key=form.cleaned_data["api_key"],
                now=timezone.now(),
                confirmed_same_workspace=form.cleaned_data["same_workspace"],
            )
        except UnconfirmedWorkspaceError as refusal:
            asks_to_confirm = True
            form.add_error("same_workspace", str(refusal))
        except (registry.KeyRefusedError, AlreadyConnectedError, OtherWorkspaceError) as refusal:
            form.add_error("api_key", str(refusal))
        else:
            messages.success(request, "The key was replaced. A sync with the new one starts now.")
            hand_over(request, run)
            return redirect(provider)
    # What the service has put into the instance is not stored: the page shows what is.
    provider.refresh_from_db()
    more = {"asks_to_confirm": asks_to_confirm}
    return _page(request, "providers/replace_key.html", provider, provider.name, form, **more)


@require_http_methods(["GET", "HEAD", "POST"])
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    provider = get_object_or_404(Provider, pk=pk)
    form = forms.Form(request.POST) if request.method == "POST" else forms.Form()
    if form.is_valid():
        if provider.disconnected_at is not None:
            form.add_error(None, why_no_sync(provider))
        else:
            pause_provider(provider=provider, now=timezone.now())
            messages.success(
                request, format_html("Syncing of {} is paused. Its history stays.", isolated(provider.name))
            )
            return redirect(provider)
    return _page(request, "providers/pause.html", provider, provider.name, form)


@require_http_methods(["GET", "HEAD", "POST"])
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    provider = get_object_or_404(Provider, pk=pk)
    form = forms.Form(request.POST) if request.method == "POST" else forms.Form()
    if form.is_valid():
        if provider.disconnected_at is not None:
            form.add_error(None, why_no_sync(provider))
        else:
            resume_provider(provider=provider, now=timezone.now())
            messages.success(request, format_html("{} is resumed. It syncs within a minute.", isolated(provider.name)))
            return redirect(provider)
    return _page(request, "providers/resume.html", provider, provider.name, form)


@require_http_methods(["GET", "HEAD", "POST"])
def resync(request: HttpRequest, pk: int) -> HttpResponse:
    """Read a range of days again, whatever is known of them."""
    provider = get_object_or_404(Provider, pk=pk)
    now = timezone.now()
    today = now.date()
    offered = {
        "first": request.GET.get("from") or today - timedelta(days=RESYNC_DAYS - 1),
        "last": request.GET.get("to") or today,
    }
    form = (
        ResyncForm(request.POST, today=today) if request.method == "POST" else ResyncForm(initial=offered, today=today)
    )
    reason = why_no_sync(provider)
    if form.is_valid():
        if reason:
            form.add_error(None, reason)
        else:
            run = request_manual_sync(
                provider=provider, now=now, first=form.cleaned_data["first"], last=form.cleaned_data["last"]
            )
            hand_over(request, run)
            return redirect(provider)
    return _page(request, "providers/resync.html", provider, provider.name, form, why_not=reason)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Two ways out: without the key but with the history, or with nothing left."""
    provider = get_object_or_404(Provider, pk=pk)
    form = DeleteForm(request.POST) if request.method == "POST" else DeleteForm()
    if form.is_valid():
        if form.cleaned_data["history"] == DeleteForm.KEEP:
            disconnect_provider(provider=provider, now=timezone.now())
            done = format_html("{} is disconnected. Its key is gone, its history stays.", isolated(provider.name))
            messages.success(request, done)
            return redirect(provider)
        try:
            delete_provider(provider=provider, confirmed_name=form.cleaned_data["confirmed_name"])
        except ValidationError as refusal:
            form.add_error("confirmed_name", refusal)
        else:
            messages.success(request, format_html("{} was deleted with all its history.", isolated(provider.name)))
            return redirect("providers:list")
    return _page(request, "providers/delete.html", provider, provider.name, form, **_what_goes(provider))


def _what_goes(provider: Provider) -> dict[str, Any]:
    """What is deleted with the provider; usage belongs to its keys, which know their days of use."""
    projects = Project.objects.for_provider(provider)
    present, deleted = projects.present_keys().count(), projects.api_keys().exclude(deleted_at=None).count()
    agents = projects.agents().count()
    return {
        "keys": joined(
            [
                count(present, "API key"),
                *([count(deleted, "deleted one")] if deleted else []),
                *([count(agents, "agent")] if agents else []),
            ]
        ),
        "runs": provider.runs.count(),
        **projects.aggregate(
            used_from=Min("first_used_on"),
            used_to=Max("last_used_on"),
            companies=Count("assignments__shares__company", distinct=True),
        ),
    }


def _page(
    request: HttpRequest, template: str, provider: Provider, name: str, form: forms.Form, **more: Any
) -> HttpResponse:
    """One of the small pages; ``name`` is the stored one, whatever a refused form has put into the instance."""
    words = registry.words_of(provider.type)
    context = {"provider": provider, "name": name, "form": form, "words": words} | more
    return render(request, template, context, status=422 if form.errors else 200)

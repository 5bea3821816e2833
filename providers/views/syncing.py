"""Starting a sync, letting a held one through, and the progress that the provider page polls."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from providers.models import Provider, SyncRun
from providers.progress import steps
from providers.services.queueing import request_manual_sync
from providers.views.responses import hand_over


@require_POST
def sync_now(request: HttpRequest, pk: int) -> HttpResponse:
    provider = get_object_or_404(Provider, pk=pk)
    if reason := why_no_sync(provider):
        messages.warning(request, reason)
        return redirect(provider)
    hand_over(request, request_manual_sync(provider=provider, now=timezone.now()))
    return redirect(provider)


def why_no_sync(provider: Provider) -> str:
    """Why no sync of it can be started, in a sentence; empty where one can."""
    if provider.disconnected_at is not None:
        return "This provider is disconnected. Replace its key to sync it again."
    if provider.paused_at is not None:
        return "Syncing is paused for this provider. Resume it first."
    return ""


@require_POST
def accept(request: HttpRequest, pk: int, run_pk: int) -> HttpResponse:
    """Apply, after all, what a run that needs a look held back: its window is read again, without that check."""
    provider = get_object_or_404(Provider, pk=pk)
    run = get_object_or_404(provider.runs, pk=run_pk, outcome=SyncRun.Outcome.NEEDS_LOOK)
    first, last = run.window_from or run.requested_from, run.window_to or run.requested_to
    if first is None or last is None:
        raise Http404
    if reason := why_no_sync(provider):
        messages.warning(request, reason)
        return redirect(provider)
    accepted = request_manual_sync(
        provider=provider, now=timezone.now(), first=first, last=last, accepts_implausible=True
    )
    hand_over(request, accepted)
    return redirect(provider)


@require_safe
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress list alone, for the page that polls it.

    When no run is left the page has to load again, and so is one without API keys as soon as there are any: what it
    says of them must not lag behind the list.
    """
    if not request.headers.get("HX-Request"):
        return redirect("providers:detail", pk=pk)
    provider = get_object_or_404(Provider, pk=pk)
    run = provider.runs.unfinished().order_by("queued_at", "pk").first()
    shows_keys = request.GET.get("shows_keys") != "no"
    if run is None or (not shows_keys and provider.projects.exists()):
        return HttpResponseClientRefresh()
    context = {"run": run, "steps": steps(run), "provider": provider, "shows_keys": shows_keys}
    return render(request, "providers/_progress.html", context)

"""The page that says what agents' usage belongs to, and reads the history again by that."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from core.request_helpers import person
from core.wording import count
from providers import registry
from providers.forms import AgentsForm
from providers.models import Project, Provider
from providers.services.agents import read_history_again, requests_for_history, set_agent_attribution
from providers.views.responses import hand_over
from providers.views.syncing import why_no_sync
from providers.wording import how_agents_are_divided

By = Provider.AttributesBy

EXPLANATIONS = {
    By.KEY: "Only usage without a key is divided between agents. What a key used stays with the key.",
    By.AGENT: (
        "What a known agent used is the agent's, whatever key carried it. For a server that starts every client's "
        "agents with one key."
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
def agents(request: HttpRequest, pk: int) -> HttpResponse:
    """``history`` is the button that reads the history again by the settings that there are."""
    provider = get_object_or_404(Provider, pk=pk)
    reason = why_no_sync(provider)
    if "history" in request.POST:
        return _read_again(request, provider, reason)
    chosen = {
        "attributes_by": provider.attributes_by,
        "by_conversations": provider.allocates_by_conversations,
        "by_person": provider.divides_by_person,
    }
    form = AgentsForm(request.POST if request.method == "POST" else None, initial=chosen)
    if form.is_valid():
        if not reason:
            return _save(request, provider, form)
        form.add_error(None, reason)
    context = _context(provider, form) | {"why_not": reason}
    return render(request, "providers/agents.html", context, status=422 if form.errors else 200)


def _read_again(request: HttpRequest, provider: Provider, reason: str) -> HttpResponse:
    if reason:
        messages.warning(request, reason)
    else:
        hand_over(request, read_history_again(provider=provider, now=timezone.now()))
        messages.success(request, "The history is being read again.")
    return redirect(provider)


def _save(request: HttpRequest, provider: Provider, form: AgentsForm) -> HttpResponse:
    run = set_agent_attribution(
        provider=provider,
        attributes_by=form.cleaned_data["attributes_by"],
        by_conversations=form.cleaned_data["by_conversations"],
        by_person=form.cleaned_data["by_person"],
        now=timezone.now(),
        made_by=person(request),
    )
    if run:
        hand_over(request, run)
        messages.success(request, "Saved. The history is being read again.")
    return redirect(provider)


def _context(provider: Provider, form: AgentsForm) -> dict[str, Any]:
    has_agents = Project.objects.for_provider(provider).agents().exists()
    return {
        "provider": provider,
        "name": provider.name,
        "form": form,
        "choices": [(value, value.label, sentence) for value, sentence in EXPLANATIONS.items()],
        "chosen": form["attributes_by"].value(),
        "by_conversations": form["by_conversations"].value(),
        "by_person": form["by_person"].value(),
        "found": how_agents_are_divided(provider, registry.words_of(provider.type), has_agents=has_agents),
        "has_agents": has_agents,
        "requests": count(requests_for_history(provider, today=timezone.now().date()), "request"),
    }

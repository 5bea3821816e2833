"""The page that says what becomes of a provider's usage without an API key."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from core.request_helpers import person
from providers import registry
from providers.forms import KeylessForm
from providers.models import Assignment, Project, Provider
from providers.services.assigning import forget_assignments
from providers.services.sharing import set_keyless_sharing

Sharing = Provider.KeylessSharing

EXPLANATIONS = {
    Sharing.NONE: "It stands under Unassigned until somebody assigns it.",
    Sharing.EVENLY: (
        "Each day's usage is divided equally between the companies that have an API key of this workspace in use on "
        "that day: assigned to them, from the key's first use until it is deleted."
    ),
    Sharing.BY_USAGE: (
        "Each day's usage is divided in proportion to what the companies' own keys used on that day: {measure}."
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
def keyless(request: HttpRequest, pk: int) -> HttpResponse:
    """``forget`` is the button that takes back an assignment, which beats the setting."""
    provider = get_object_or_404(Provider, pk=pk)
    periods = list(
        Assignment.objects.filter(project__provider=provider, project__kind=Project.Kind.KEYLESS)
        .select_related("project")
        .prefetch_related("shares__company")
        .order_by("starts_on")
    )
    if "forget" in request.POST:
        return _forget(request, provider, periods)
    form = (
        KeylessForm(request.POST)
        if request.method == "POST"
        else KeylessForm(initial={"sharing": provider.keyless_sharing})
    )
    if form.is_valid():
        sharing: Provider.KeylessSharing = form.cleaned_data["sharing"]
        set_keyless_sharing(provider=provider, sharing=sharing, made_by=person(request))
        messages.success(request, f"Usage without an API key: {sharing.label.lower()}.")
        return redirect(provider)
    has_credits = "credits" in registry.figures_for([provider.type])
    measure = "their credits, or their cost where credits are not reported" if has_credits else "their cost"
    context = {
        "provider": provider,
        "name": provider.name,
        "form": form,
        "choices": [(value, value.label, sentence.format(measure=measure)) for value, sentence in EXPLANATIONS.items()],
        "chosen": form["sharing"].value(),
        "periods": periods,
        "words": registry.words_of(provider.type),
        "has_keys": provider.source == Provider.Source.ANALYTICS,
    }
    return render(request, "providers/keyless.html", context, status=422 if form.errors else 200)


def _forget(request: HttpRequest, provider: Provider, periods: list[Assignment]) -> HttpResponse:
    if periods:
        change = forget_assignments(projects=[periods[0].project], now=timezone.now(), made_by=person(request))
        sentence = (
            f"“{registry.words_of(provider.type).keyless_name}” is no longer assigned by hand: the setting decides."
        )
        messages.success(request, sentence, extra_tags=reverse("providers:undo", args=[change.pk]))
    return redirect("providers:keyless", provider.pk)

"""Adding a provider: the form of a real workspace, and the button of the simulated one."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from core.responses import add_errors, problem
from providers import registry
from providers.forms import ConnectForm
from providers.forms.connecting import NAME_TAKEN
from providers.models import Provider
from providers.services.connecting import AlreadyConnectedError, connect_provider
from providers.services.queueing import enqueue_quietly

SIMULATED_REGION = "simulated"
SIMULATED_NAME = "Simulated workspace"


@sensitive_post_parameters("api_key")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def add_provider(request: HttpRequest) -> HttpResponse:
    """The key is tried before anything is stored. Where it may only read its account's totals, those are offered."""
    form = ConnectForm(request.POST if request.method == "POST" else None, shown=request.GET.get("type", ""))
    offers_account_totals = form.asks_for_account_totals
    if form.is_valid():
        try:
            provider = _connect(form)
        except registry.KeyRefusedError as refusal:
            form.add_error("api_key", str(refusal))
            offers_account_totals = offers_account_totals or refusal.offers_account_totals
        except AlreadyConnectedError as refusal:
            form.add_error("api_key", str(refusal))
        except ValidationError as refusal:
            add_errors(form, refusal)
        else:
            return redirect(provider)
    context = {
        "form": form,
        "words": form.words,
        "types": _type_links(form),
        "offers_account_totals": offers_account_totals,
        # For the browser, which says it before a key has been pasted; clean_name() is who decides.
        "names_taken": {"names": list(Provider.objects.values_list("name", flat=True)), "sentence": NAME_TAKEN},
    }
    return render(request, "providers/add.html", context, status=422 if form.errors else 200)


@sensitive_variables("form")
def _connect(form: ConnectForm) -> Provider:
    """Connect what the valid ``form`` says, and queue its first sync; raises as connect_provider() does."""
    provider, run = connect_provider(
        type=form.cleaned_data["provider_type"],
        name=form.cleaned_data["name"],
        region=form.cleaned_data["region"],
        api_key=form.cleaned_data["api_key"],
        now=timezone.now(),
        source=form.cleaned_data["source"],
    )
    enqueue_quietly(run=run, now=timezone.now())
    return provider


def _type_links(form: ConnectForm) -> list[tuple[str, str, bool]]:
    """Label, URL and whether it is current of each provider type; empty where there is only one."""
    types = registry.all_types()
    return [(type_.label, f"?type={type_.slug}", type_ is form.type) for type_ in types] if len(types) > 1 else []


@require_POST
def try_simulated(request: HttpRequest) -> HttpResponse:
    """Connect the simulated workspace that comes with the embedded default."""
    offered = [type_ for type_ in registry.all_types() if type_.simulated_key is not None]
    if not settings.EMBEDDED or not offered:
        raise Http404
    simulated_key = offered[0].simulated_key
    assert simulated_key is not None  # noqa: S101 - for the type checker
    try:
        provider, run = connect_provider(
            type=offered[0].slug,
            name=SIMULATED_NAME,
            region=SIMULATED_REGION,
            api_key=simulated_key,
            now=timezone.now(),
        )
    except (registry.KeyRefusedError, AlreadyConnectedError) as refusal:
        return problem(request, "The simulated workspace was not connected", [str(refusal)], reverse("dashboard"))
    except ValidationError as refusal:
        return problem(request, "The simulated workspace was not connected", refusal.messages, reverse("dashboard"))
    enqueue_quietly(run=run, now=timezone.now())
    return redirect(provider)

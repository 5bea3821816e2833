"""Connecting a provider, syncing it, assigning its keys, naming companies. What shows money is in costs.views."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from providers import registry
from providers.forms import AssignForm, CompanyForm, ConnectForm
from providers.models import AssignmentChange, Company, Provider, SyncRun
from providers.progress import steps
from providers.services.assigning import UndoConflictError, assign_projects, get_or_create_company, undo_assignment
from providers.services.connecting import AlreadyConnectedError, connect_provider
from providers.services.queueing import enqueue_quietly, request_sync

SIMULATED_REGION = "simulated"
SIMULATED_NAME = "Simulated workspace"
QUEUE_UNREACHABLE = "The queue is unreachable at the moment. The sync starts by itself as soon as it is back."


# Connecting -----------------------------------------------------------------------------------------------------------


@sensitive_post_parameters("api_key")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def add_provider(request: HttpRequest) -> HttpResponse:
    form = ConnectForm(request.POST or None) if request.method == "POST" else ConnectForm()
    if request.method == "POST" and form.is_valid():
        try:
            provider, run = connect_provider(
                type=form.cleaned_data["provider_type"],
                name=form.cleaned_data["name"],
                region=form.cleaned_data["region"],
                api_key=form.cleaned_data["api_key"],
                now=timezone.now(),
            )
        except (registry.KeyRefusedError, AlreadyConnectedError) as refusal:
            form.add_error("api_key", str(refusal))
        except ValidationError as refusal:
            _add_errors(form, refusal)
        else:
            enqueue_quietly(run=run, now=timezone.now())
            return redirect(provider)
    return render(request, "providers/add.html", {"form": form}, status=422 if form.errors else 200)


def _add_errors(form: ConnectForm, refusal: ValidationError) -> None:
    """The model's own refusals, at the field they are about."""
    for name, sentences in refusal.message_dict.items():
        form.add_error(name if name in form.fields else None, sentences)


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


# Syncing --------------------------------------------------------------------------------------------------------------


@require_POST
def sync_now(request: HttpRequest, pk: int) -> HttpResponse:
    provider = get_object_or_404(Provider, pk=pk)
    now = timezone.now()
    if provider.paused_at is not None:
        messages.warning(request, "Syncing is paused for this provider.")
        return redirect(provider)
    _hand_over(request, request_sync(provider=provider, trigger=SyncRun.Trigger.MANUAL, now=now))
    return redirect(provider)


@require_POST
def accept(request: HttpRequest, pk: int, run_pk: int) -> HttpResponse:
    """Apply, after all, what a run that needs a look held back: its window is read again, without that check."""
    provider = get_object_or_404(Provider, pk=pk)
    run = get_object_or_404(provider.runs, pk=run_pk, outcome=SyncRun.Outcome.NEEDS_LOOK)
    first, last = run.window_from or run.requested_from, run.window_to or run.requested_to
    if first is None or last is None:
        raise Http404
    accepted = request_sync(
        provider=provider,
        trigger=SyncRun.Trigger.MANUAL,
        now=timezone.now(),
        requested_from=first,
        requested_to=last,
        accepts_implausible=True,
    )
    _hand_over(request, accepted)
    return redirect(provider)


def _hand_over(request: HttpRequest, run: SyncRun) -> None:
    """Enqueue ``run`` unless a message for it is on its way already."""
    if run.enqueued_at is None and not enqueue_quietly(run=run, now=timezone.now()):
        messages.warning(request, QUEUE_UNREACHABLE)


@require_safe
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress list alone, for the page that polls it; when no run is left, the page is told to load again."""
    if not request.headers.get("HX-Request"):
        return redirect("providers:detail", pk=pk)
    provider = get_object_or_404(Provider, pk=pk)
    run = provider.runs.unfinished().order_by("queued_at", "pk").first()
    if run is None:
        return HttpResponseClientRefresh()
    return render(request, "providers/_progress.html", {"run": run, "steps": steps(run), "provider": provider})


# Assigning ------------------------------------------------------------------------------------------------------------


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


def problem(
    request: HttpRequest, title: str, sentences: Iterable[str], back: str, *, status: int = 422
) -> HttpResponse:
    """A page of its own for a form that has no page of its own."""
    return render(request, "problem.html", {"title": title, "sentences": sentences, "back": back}, status=status)


# Companies ------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def add_company(request: HttpRequest) -> HttpResponse:
    return _company_form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_company(request: HttpRequest, pk: int) -> HttpResponse:
    return _company_form(request, get_object_or_404(Company, pk=pk))


def _company_form(request: HttpRequest, company: Company | None) -> HttpResponse:
    form = CompanyForm(request.POST if request.method == "POST" else None, instance=company)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        messages.success(request, f"{saved.name} was {'saved' if company else 'added'}.")
        return redirect(saved)
    # A refused form has already written its values into the instance: the heading keeps the stored name.
    name = Company.objects.get(pk=company.pk).name if company else ""
    context = {"form": form, "company": company, "name": name}
    return render(request, "companies/form.html", context, status=422 if form.errors else 200)

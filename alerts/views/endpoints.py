"""Settings → Webhooks: where alerts are posted to, what came of it, and sending again."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alerts.forms import EndpointForm
from alerts.models import Delivery, Endpoint
from alerts.services.endpoints import (
    add_endpoint,
    delete_endpoint,
    disable_endpoint,
    enable_endpoint,
    redeliver_now,
    replace_secret,
)
from core.paging import CountedRows, paginate
from core.request_helpers import person
from core.responses import add_errors

PER_PAGE = 25


@require_safe
def endpoint_list(request: HttpRequest) -> HttpResponse:
    return render(request, "alerts/endpoints.html", {"endpoints": Endpoint.objects.all()})


@never_cache  # the secret is shown once
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    form = EndpointForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        data = form.cleaned_data
        try:
            endpoint, secret = add_endpoint(
                url=data["url"], kind=Endpoint.Kind(data["kind"]), minimum=data["minimum"], made_by=person(request)
            )
        except ValidationError as refusal:
            add_errors(form, refusal)
        else:
            return _shown_once(request, endpoint, secret, status=201)
    return render(request, "alerts/endpoint_form.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
def endpoint_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """With every delivery to it, newest first, and the attempts at each."""
    endpoint = get_object_or_404(Endpoint, pk=pk)
    deliveries = endpoint.deliveries.select_related("alert").prefetch_related("attempts").order_by("-pk")
    page = paginate(request, CountedRows(deliveries), of="deliveries", size=PER_PAGE)
    return render(request, "alerts/endpoint.html", {"endpoint": endpoint, "page": page})


@never_cache
@require_POST
def new_secret(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = get_object_or_404(Endpoint, pk=pk, kind=Endpoint.Kind.WEBHOOK)
    secret = replace_secret(endpoint=endpoint, now=timezone.now(), made_by=person(request))
    return _shown_once(request, endpoint, secret, status=200)


def _shown_once(request: HttpRequest, endpoint: Endpoint, secret: str, *, status: int) -> HttpResponse:
    if not secret:
        messages.success(request, "Added. Send a test alert to see one arrive.")
        return redirect("notifications:endpoint", endpoint.pk)
    context = {"endpoint": endpoint, "secret": secret}
    return render(request, "alerts/endpoint_secret.html", context, status=status)


@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = get_object_or_404(Endpoint, pk=pk)
    if endpoint.disabled_at is not None:
        enable_endpoint(endpoint=endpoint, now=timezone.now(), made_by=person(request))
        messages.success(request, "It is switched on. What waited is sent now.")
    else:
        disable_endpoint(endpoint=endpoint, now=timezone.now(), made_by=person(request), by_itself=False)
        messages.success(request, "It is switched off. Nothing is posted to it.")
    return redirect("notifications:endpoint", endpoint.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = get_object_or_404(Endpoint, pk=pk)
    if request.method == "POST":
        delete_endpoint(endpoint=endpoint, made_by=person(request))
        messages.success(request, "It was deleted, with its log.")
        return redirect("notifications:endpoints")
    return render(request, "alerts/endpoint_delete.html", {"endpoint": endpoint, "form": forms.Form()})


@require_POST
def redeliver(request: HttpRequest, pk: int) -> HttpResponse:
    """Once more, with the same id: a receiver that has it already can tell."""
    delivery = get_object_or_404(Delivery.objects.exclude(endpoint=None), pk=pk)
    redeliver_now(delivery=delivery, now=timezone.now())
    messages.success(request, "It is sent again.")
    return redirect("notifications:endpoint", delivery.endpoint_id)

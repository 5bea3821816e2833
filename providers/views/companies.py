"""Naming companies – one form for a new one and for one there is – archiving and restoring them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST

from core.names import isolated
from core.request_helpers import person
from core.responses import add_errors
from providers.forms import CompanyForm
from providers.keys import count_keys_and_agents
from providers.models import Company
from providers.services.companies import archive_company, restore_company, save_company
from providers.wording import keys_and_agents


@require_http_methods(["GET", "HEAD", "POST"])
def add_company(request: HttpRequest) -> HttpResponse:
    return _company_form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_company(request: HttpRequest, pk: int) -> HttpResponse:
    return _company_form(request, get_object_or_404(Company, pk=pk))


@require_POST
def archive(request: HttpRequest, pk: int) -> HttpResponse:
    company = get_object_or_404(Company, pk=pk)
    archive_company(company=company, now=timezone.now(), made_by=person(request))
    rules = company.rules.count()
    rest = f" Its {'rule is' if rules == 1 else f'{rules} rules are'} skipped meanwhile." if rules else ""
    done = format_html("{} was archived. Its history and its keys stay.{}", isolated(company.name), rest)
    messages.success(request, done)
    return redirect("companies:edit", company.pk)


@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    company = get_object_or_404(Company, pk=pk)
    restore_company(company=company, made_by=person(request))
    messages.success(request, format_html("{} was restored.", isolated(company.name)))
    return redirect("companies:edit", company.pk)


def _company_form(request: HttpRequest, company: Company | None) -> HttpResponse:
    # A refused form writes its values into the instance: the heading keeps the stored name.
    name = company.name if company else ""
    form = CompanyForm(request.POST if request.method == "POST" else None, instance=company)
    if form.is_valid():
        try:
            save_company(company=form.instance, made_by=person(request))
        except ValidationError as refusal:
            add_errors(form, refusal)
        else:
            done = "saved" if company else "added"
            messages.success(request, format_html("{} was {}.", isolated(form.instance.name), done))
            return redirect(form.instance)
    context: dict[str, Any] = {"form": form, "company": company, "name": name}
    if company:
        counts = count_keys_and_agents(timezone.now().date(), company=company)
        keys, agents = counts.keys.by_company.get(company.pk, 0), counts.agents.by_company.get(company.pk, 0)
        context |= {
            "rules": company.rules.count(),
            "keys": keys + agents,
            "keys_text": keys_and_agents(keys, agents),
        }
    return render(request, "companies/form.html", context, status=422 if form.errors else 200)

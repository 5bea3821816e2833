"""Naming companies: one form for a new one and for one there is."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from providers.forms import CompanyForm
from providers.models import Company


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

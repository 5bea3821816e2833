"""Budgets: the list with how each stands, and their form."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from alerts.forms import BudgetForm
from alerts.models import Budget
from alerts.permissions import CHANGE_BUDGETS
from alerts.services.budgets import delete_budget, save_budget
from alerts.standing import standing_of
from core.names import isolated
from core.request_helpers import person
from core.responses import add_errors


@require_safe
def budget_list(request: HttpRequest) -> HttpResponse:
    budgets = Budget.objects.with_subjects().prefetch_related("thresholds")
    context = {
        "standings": [standing_of(budget) for budget in budgets],
        "may_change": request.user.has_perm(CHANGE_BUDGETS),
    }
    return render(request, "budgets/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add_budget(request: HttpRequest) -> HttpResponse:
    """``?company=`` or ``?provider=`` choose what it is for."""
    budget = Budget()
    for name in ("company", "provider"):
        if (pk := request.GET.get(name, "")).isdecimal() and len(pk) < 18:
            setattr(budget, f"{name}_id", int(pk))
            break
    return _budget_form(request, budget)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_budget(request: HttpRequest, pk: int) -> HttpResponse:
    return _budget_form(request, get_object_or_404(Budget.objects.with_subjects(), pk=pk))


def _budget_form(request: HttpRequest, budget: Budget) -> HttpResponse:
    is_new = budget.pk is None
    if request.method == "POST" and is_new:
        budget = Budget()
    form = BudgetForm(request.POST if request.method == "POST" else None, budget=budget, today=timezone.now().date())
    if form.is_valid():
        try:
            save_budget(budget=form.fill(), limits=form.limits, made_by=person(request))
        except ValidationError as refusal:
            add_errors(form, refusal)
        else:
            messages.success(
                request, f"The budget was {'made' if is_new else 'saved'}. It is compared within a minute."
            )
            return redirect("budgets:list")
    context = {"form": form, "is_new": is_new, "budget": None if is_new else budget}
    return render(request, "budgets/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    budget = get_object_or_404(Budget.objects.with_subjects(), pk=pk)
    if request.method == "POST":
        delete_budget(budget=budget, made_by=person(request))
        messages.success(request, "The budget was deleted. Alerts that it has raised stay.")
        return redirect("budgets:list")
    context = {"budget": budget, "subject": isolated(budget.subject), "form": forms.Form()}
    return render(request, "budgets/delete.html", context)

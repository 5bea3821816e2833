"""The rules by which new keys are assigned: their list, their form, and applying them to the keys that there are."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.request_helpers import person
from core.responses import add_errors
from core.wording import count
from providers.forms import ApplyRulesForm, RuleForm
from providers.models import AssignmentRule, Company, Project
from providers.moving import DrawsMoving, Moving, nothing_moves
from providers.services.periods import WHOLE
from providers.services.rules import (
    OutcomeChangedError,
    Preview,
    apply_rules,
    delete_rule,
    move_rule,
    preview_rules,
    save_rule,
)
from providers.views.assigning import said
from providers.views.rule_tables import outcomes_table, rules_table
from providers.wording import chosen_keys


@require_safe
def rule_list(request: HttpRequest) -> HttpResponse:
    rules = list(AssignmentRule.objects.select_related("company", "provider"))
    return render(request, "rules/list.html", {"rules": rules_table(request, rules)})


@require_http_methods(["GET", "HEAD", "POST"])
def add_rule(request: HttpRequest) -> HttpResponse:
    return _rule_form(request, AssignmentRule())


@require_http_methods(["GET", "HEAD", "POST"])
def edit_rule(request: HttpRequest, pk: int) -> HttpResponse:
    return _rule_form(request, get_object_or_404(AssignmentRule, pk=pk))


def _rule_form(request: HttpRequest, rule: AssignmentRule) -> HttpResponse:
    is_new = rule.pk is None
    form = RuleForm(request.POST if request.method == "POST" else None, instance=rule)
    if form.is_valid():
        try:
            save_rule(rule=form.instance, made_by=person(request))
        except ValidationError as refusal:
            add_errors(form, refusal)
        else:
            done = "The rule was added. It applies to new keys." if is_new else "The rule was saved."
            messages.success(request, f"{done} Preview it to apply it to existing keys, too.")
            return redirect("rules:list")
    context = {"form": form, "rule": None if is_new else rule}
    return render(request, "rules/form.html", context, status=422 if form.errors else 200)


@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """``direction`` is "up" or "down"; anything else moves nothing."""
    rule = get_object_or_404(AssignmentRule, pk=pk)
    direction = request.POST.get("direction", "")
    if direction in ("up", "down"):
        move_rule(rule=rule, up=direction == "up", made_by=person(request))
    return redirect(f"{reverse('rules:list')}#rule-{rule.pk}")


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    rule = get_object_or_404(AssignmentRule.objects.select_related("company", "provider"), pk=pk)
    if request.method == "POST":
        delete_rule(rule=rule, made_by=person(request))
        messages.success(request, "The rule was deleted. Keys that it has assigned stay as they are.")
        return redirect("rules:list")
    return render(request, "rules/delete.html", {"rule": rule, "form": forms.Form()})


@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest, *, preview: DrawsMoving = nothing_moves) -> HttpResponse:
    """What applying the rules to existing keys would change; what was shown, and nothing else, is applied by a POST."""
    form = ApplyRulesForm(request.POST if request.method == "POST" else request.GET)
    is_outdated = False
    if request.method == "POST" and form.is_valid():
        try:
            change = apply_rules(
                expected=form.cleaned_data["fingerprint"],
                starts_on=form.cleaned_data["starts_on"],
                now=timezone.now(),
                made_by=person(request),
            )
        except OutcomeChangedError:
            is_outdated = True
        else:
            messages.success(request, said(change), extra_tags=reverse("providers:undo", args=[change.pk]))
            return redirect("rules:list")
    form, outcome = _preview(form, is_chosen=is_outdated or "applies_to" in request.GET)
    context = {
        "form": form,
        **_outcome(outcome),
        "moved": preview(_moving(outcome, form)),
        "is_outdated": is_outdated,
        "today": timezone.now().date(),
        "has_rules": AssignmentRule.objects.exists(),
    }
    return render(request, "rules/apply.html", context, status=409 if is_outdated else 422 if form.errors else 200)


def _outcome(preview: Preview | None) -> dict[str, Any]:
    """What the page says of a preview; without one its texts are empty."""
    if preview is None:
        return {"preview": None, "outcomes": None, "keys_text": "", "kept_text": ""}
    return {
        "preview": preview,
        "outcomes": outcomes_table(preview.outcomes),
        "keys_text": chosen_keys([outcome.project for outcome in preview.outcomes]),
        "kept_text": count(preview.kept, "key"),
    }


def _moving(outcome: Preview | None, form: ApplyRulesForm) -> list[Moving]:
    """What each company gets."""
    if outcome is None or not form.is_valid():
        return []
    of_company: dict[Company, list[Project]] = defaultdict(list)
    for each in outcome.outcomes:
        of_company[each.company].append(each.project)
    starts_on = form.cleaned_data["starts_on"]
    return [Moving(projects, [(company, WHOLE)], starts_on) for company, projects in of_company.items()]


def _preview(form: ApplyRulesForm, *, is_chosen: bool) -> tuple[ApplyRulesForm, Preview | None]:
    """What applying the rules would change, with the form that it is of; nothing for a form with errors.

    Unless it was chosen, what companies have paid for is not the first thing offered to move.
    """
    if not form.is_valid():
        return form, None
    preview = preview_rules(starts_on=form.cleaned_data["starts_on"])
    if is_chosen or not any(outcome.is_paid for outcome in preview.outcomes):
        return form, preview
    today = timezone.now().date()
    offered = ApplyRulesForm({"applies_to": "from", "starts_on": today})
    offered.full_clean()
    return offered, preview_rules(starts_on=today)

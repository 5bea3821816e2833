"""What is changed on the page of one key – its label and its periods – and the list of the latest changes."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.days import EARLIEST_DAY
from core.names import isolated
from core.request_helpers import next_url, person, sentences
from core.responses import problem
from providers.forms.keys import LabelForm, PeriodForm
from providers.models import BEGINNING, AssignmentChange, Company, Project, describe_shares
from providers.moving import DrawsMoving, Moving, nothing_moves
from providers.services.assigning import latest_changes
from providers.services.labelling import label_project
from providers.services.timeline import MovingDays, move_period, moving_days, remove_period
from providers.views.assigning import all_said, assigned

LATEST = 20


@require_POST
def label(request: HttpRequest, pk: int) -> HttpResponse:
    project = get_object_or_404(Project, pk=pk)
    back = next_url(request) or project.get_absolute_url()
    form = LabelForm(request.POST)
    if not form.is_valid():
        return problem(request, "The label was not saved", sentences(form), back)
    if label_project(project=project, label=form.cleaned_data["label"], made_by=person(request)):
        messages.success(request, format_html("This is now called {}.", isolated(project.display_name)))
    return redirect(back)


@require_http_methods(["GET", "HEAD", "POST"])
def period(request: HttpRequest, pk: int, *, preview: DrawsMoving = nothing_moves) -> HttpResponse:
    """Move the first day of one of a key's periods, or – with ``remove`` – let the period before it go on.

    The page shows what that would move; its form does it.
    """
    project = get_object_or_404(Project.objects.select_related("provider"), pk=pk)
    back = next_url(request) or project.get_absolute_url()
    sent = request.POST if request.method == "POST" else request.GET
    form = PeriodForm(sent, is_removed="remove" in sent)
    if not form.is_valid():
        return problem(request, "Nothing was changed", sentences(form), back)
    try:
        if request.method == "POST":
            return assigned(request, _changed(request, project, form), back)
        moving = moving_days(project=project, starts_on=form.cleaned_data["starts_on"], to=form.cleaned_data.get("to"))
    except ValidationError as refusal:
        return problem(request, "Nothing was changed", refusal.messages, back)
    context = _question(project, moving, preview) | {"form": form, "sent": form.cleaned_data, "back": back}
    return render(request, "keys/period.html", context)


def _question(project: Project, moving: MovingDays, preview: DrawsMoving) -> dict[str, object]:
    """What the page says of the days that would get other payers."""
    companies = Company.objects.in_bulk([payer for payer, _percent in moving.payers])
    payers = [(companies[payer], percent) for payer, percent in moving.payers]
    return {
        "key": project,
        "payers": describe_shares((company.name, percent) for company, percent in payers),
        "first": None if moving.first == BEGINNING else moving.first,
        "last": moving.last,
        "moved": preview([Moving([project], payers, max(moving.first, EARLIEST_DAY), moving.last)]),
    }


def _changed(request: HttpRequest, project: Project, form: PeriodForm) -> AssignmentChange:
    starts_on, to = form.cleaned_data["starts_on"], form.cleaned_data.get("to")
    now, by = timezone.now(), person(request)
    if to is None:
        return remove_period(project=project, starts_on=starts_on, now=now, made_by=by)
    return move_period(project=project, starts_on=starts_on, to=to, now=now, made_by=by)


@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    """The latest changes of who pays, each with its Undo as long as nothing builds on it."""
    found = latest_changes(LATEST)
    sentences_of = all_said(change for change, _may in found)
    context = {
        "changes": [(change, sentence, may) for (change, may), sentence in zip(found, sentences_of, strict=True)],
        "latest": LATEST,
        "has_more": AssignmentChange.objects.count() > len(found),
    }
    return render(request, "keys/changes.html", context)

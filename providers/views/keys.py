"""What is changed on the page of one key – its label and its periods – and the list of the latest changes."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from core.names import isolated
from core.request_helpers import next_url, person, sentences
from core.responses import problem
from providers.forms.keys import LabelForm, PeriodForm
from providers.models import AssignmentChange, Project
from providers.services.assigning import latest_changes
from providers.services.labelling import label_project
from providers.services.timeline import move_period, remove_period
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


@require_POST
def period(request: HttpRequest, pk: int) -> HttpResponse:
    """Move the first day of one of a key's periods, or – with ``remove`` – let the period before it go on."""
    project = get_object_or_404(Project, pk=pk)
    back = next_url(request) or project.get_absolute_url()
    is_removed = "remove" in request.POST
    form = PeriodForm(request.POST, is_removed=is_removed)
    if not form.is_valid():
        return problem(request, "Nothing was changed", sentences(form), back)
    starts_on, now, by = form.cleaned_data["starts_on"], timezone.now(), person(request)
    try:
        if is_removed:
            change = remove_period(project=project, starts_on=starts_on, now=now, made_by=by)
        else:
            change = move_period(project=project, starts_on=starts_on, to=form.cleaned_data["to"], now=now, made_by=by)
    except ValidationError as refusal:
        return problem(request, "Nothing was changed", refusal.messages, back)
    return assigned(request, change, back)


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

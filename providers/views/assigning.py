"""Assigning API keys to companies – whole, or split between several – and taking it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST

from core.names import isolated_in
from core.request_helpers import next_url, person, sentences
from core.responses import add_errors, problem
from providers.forms import AssignForm, KeysForm, SplitForm
from providers.forms.assigning import MOST_LINES
from providers.models import (
    NO_PERIODS,
    AssignmentChange,
    Company,
    Periods,
    Project,
    Provider,
    describe_shares,
    periods_of,
)
from providers.moving import DrawsMoving, Moving, nothing_moves, undoing
from providers.services.assigning import (
    UndoConflictError,
    assign_projects,
    projects_to_undo,
    split_projects,
    undo_assignment,
)
from providers.services.companies import get_or_create_company
from providers.services.periods import WHOLE
from providers.wording import chosen_keys

NOT_ASSIGNED = "The keys were not assigned"


# A line of a split as it is typed: the company's id and the percentage.
Line = tuple[str, str]


@require_POST
def assign(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Assign keys – of one provider, or of any –, in all history where ``applies_to`` is not sent.

    The page's own forms send ``ask``: for keys that another company pays for, the page of reassign() comes first.
    """
    provider, back = _place(request, pk)
    form = AssignForm(request.POST, provider=provider)
    if not form.is_valid():
        return problem(request, NOT_ASSIGNED, sentences(form), back)
    if "ask" in request.POST and not form.cleaned_data["applies_to"] and _belong_to_others(form):
        return redirect(f"{urls(provider)['preview_url']}?{_question(form, back)}")
    try:
        with transaction.atomic():
            company, is_new = form.cleaned_data["existing_company"], False
            if form.cleaned_data["new_company"]:
                company, is_new = get_or_create_company(name=form.cleaned_data["new_company"], made_by=person(request))
            change = assign_projects(
                projects=form.cleaned_data["projects"],
                company=company,
                starts_on=form.cleaned_data["starts_on"],
                now=timezone.now(),
                made_by=person(request),
                created_company=is_new,
            )
    except ValidationError as refusal:
        return problem(request, NOT_ASSIGNED, refusal.messages, back)
    return assigned(request, change, back)


@require_http_methods(["GET", "HEAD", "POST"])
def reassign(request: HttpRequest, pk: int | None = None, *, preview: DrawsMoving = nothing_moves) -> HttpResponse:
    """The page that shows what would move, and lets a person choose from when on keys belong to another company.

    Who is asked for a first day is offered today; a form that was sent here is shown as it would be saved.
    """
    provider, back = _place(request, pk)
    sent = request.POST if request.method == "POST" else request.GET
    form = AssignForm(sent, provider=provider)
    if not form.is_valid():
        return problem(request, NOT_ASSIGNED, sentences(form), back)
    payer = _payer(form)
    projects = sorted(form.cleaned_data["projects"], key=lambda project: project.display_name.casefold())
    today = timezone.now().date()
    asked = request.method != "POST" and not form.cleaned_data["applies_to"]
    starts_on = today if asked else form.cleaned_data["starts_on"]
    context = {
        "provider": provider,
        **urls(provider),
        "projects": list(zip(projects, _payers_today(projects), strict=True)),
        "company_name": payer.name if payer else "",
        "sent": form.cleaned_data,
        "form": AssignForm(
            initial={"applies_to": "from" if starts_on else "all", "starts_on": starts_on or today}, provider=provider
        ),
        "moved": preview([Moving(projects, [(payer, WHOLE)] if payer else [], starts_on)]),
        "back": back,
    }
    return render(request, "assignments/reassign.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def split(request: HttpRequest, pk: int | None = None, *, preview: DrawsMoving = nothing_moves) -> HttpResponse:
    """A page for the keys that were chosen on another; ``add``, ``remove``, ``show`` and ``save`` are its buttons."""
    provider, back = _place(request, pk)
    sent = request.POST if request.method == "POST" else request.GET
    chosen = KeysForm(sent, provider=provider)
    if not chosen.is_valid():
        return problem(request, "The keys were not split", sentences(chosen), back)
    projects: list[Project] = chosen.cleaned_data["projects"]
    companies = list(Company.objects.current())
    periods = periods_of([project.pk for project in projects])
    lines = _typed_lines(sent) or _common_split(projects, periods)
    if request.POST.keys() & {"save", "show"}:
        form = SplitForm(request.POST, companies=companies, lines=len(lines))
        if "save" in request.POST and (change := _split(request, form, projects)):
            return assigned(request, change, back)
    else:
        form = _changed_lines(sent, lines, companies, were_paid=_were_paid(projects, periods))
    context = {
        "provider": provider,
        "form": form,
        "projects": sorted(projects, key=lambda project: project.display_name.casefold()),
        "keys_text": chosen_keys(projects),
        "back": back,
        "can_split": len(companies) > 1,
        "moved": _moved(form, projects, preview),
        "can_add": form.count < MOST_LINES,
        "was_added": "add" in sent,
        "was_removed": "remove" in sent,
    }
    return render(request, "assignments/split.html", context, status=422 if form.errors else 200)


def _place(request: HttpRequest, pk: int | None) -> tuple[Provider | None, str]:
    """The provider whose keys a form is about – None: keys of any – and the page to go back to."""
    provider = None if pk is None else get_object_or_404(Provider, pk=pk)
    return provider, next_url(request) or (provider.get_absolute_url() if provider else reverse("keys:list"))


def _payer(form: AssignForm) -> Company | None:
    """Who shall pay; a company that there is not yet is not made."""
    company: Company | None = form.cleaned_data["existing_company"]
    name: str = form.cleaned_data["new_company"]
    return (Company.objects.named(name).first() or Company(name=name)) if name else company


def urls(provider: Provider | None) -> dict[str, str]:
    """Where the forms of a page about the keys of ``provider``, or of any, are sent."""
    if provider is None:
        names = {"assign_url": "keys:assign", "split_url": "keys:split", "preview_url": "keys:reassign"}
        return {key: reverse(name) for key, name in names.items()}
    names = {"assign_url": "providers:assign", "split_url": "providers:split", "preview_url": "providers:reassign"}
    return {key: reverse(name, args=[provider.pk]) for key, name in names.items()}


def _moved(form: SplitForm, projects: list[Project], preview: DrawsMoving) -> SafeString:
    """What a split that was typed whole would move; nothing before that."""
    if not form.is_bound or not form.is_valid():
        return SafeString("")
    shares = list(form.cleaned_data["shares"].items())
    return preview([Moving(projects, shares, form.cleaned_data["starts_on"])])


def _split(request: HttpRequest, form: SplitForm, projects: list[Project]) -> AssignmentChange | None:
    """What was done; nothing where the form has errors, those of the refusal included."""
    if not form.is_valid():
        return None
    try:
        return split_projects(
            projects=projects,
            shares=form.cleaned_data["shares"],
            starts_on=form.cleaned_data["starts_on"],
            now=timezone.now(),
            made_by=person(request),
        )
    except ValidationError as refusal:
        add_errors(form, refusal)
        return None


@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, pk: int, *, preview: DrawsMoving = nothing_moves) -> HttpResponse:
    """Take a change back; without being sent, the page that shows what that would move."""
    change = get_object_or_404(AssignmentChange, pk=pk)
    back = next_url(request) or reverse("dashboard")
    try:
        if request.method != "POST":
            moving = undoing(change, projects_to_undo(change))
            return render(
                request, "assignments/undo.html", {"sentence": said(change), "moved": preview(moving), "back": back}
            )
        undo_assignment(change=change, now=timezone.now(), made_by=person(request))
    except UndoConflictError as refusal:
        return problem(request, "This can't be undone any more", [str(refusal)], back, status=409)
    messages.success(request, format_html("Undone: {}", said(change)))
    return redirect(back)


def assigned(request: HttpRequest, change: AssignmentChange, back: str) -> HttpResponse:
    messages.success(request, said(change), extra_tags=reverse("providers:undo", args=[change.pk]))
    return redirect(back)


def _payers_today(projects: list[Project]) -> list[str]:
    """Who pays for each of them, in words; "Unassigned" where no company does."""
    today = timezone.now().date()
    periods = periods_of([project.pk for project in projects])
    names = dict(Company.objects.values_list("pk", "name"))
    return [
        describe_shares(
            (names[payer], percent) for payer, percent in periods.get(project.pk, NO_PERIODS).payers_on(today)
        )
        for project in projects
    ]


def said(change: AssignmentChange) -> SafeString:
    """What was done, in a sentence in which the companies' names stand apart."""
    return all_said([change])[0]


def all_said(changes: Iterable[AssignmentChange]) -> list[SafeString]:
    """One query."""
    names = list(Company.objects.values_list("name", flat=True))
    return [isolated_in(change.summary, names) for change in changes]


def _question(form: AssignForm, back: str) -> str:
    """The query of reassign(): what the form says, except its first day."""
    named = {name: form.cleaned_data[name] for name in ("company", "new_company") if form.cleaned_data[name]}
    if form.cleaned_data["matching"]:
        named["matching"] = form.cleaned_data["matching"]
    else:
        named["projects"] = ",".join(str(project.pk) for project in form.cleaned_data["projects"])
    return urlencode({**named, "next": back})


def _belong_to_others(form: AssignForm) -> bool:
    projects: list[Project] = form.cleaned_data["projects"]
    periods = periods_of([project.pk for project in projects])
    return _were_paid(projects, periods, other_than=form.cleaned_data["existing_company"])


def _were_paid(projects: list[Project], periods: Mapping[int, Periods], *, other_than: Company | None = None) -> bool:
    """Whether any of them was ever a company's, or shared between some – then it matters from when on that changes."""
    if any(
        project.kind == Project.Kind.KEYLESS and project.provider.keyless_sharing != Provider.KeylessSharing.NONE
        for project in projects
    ):
        return True
    payers = {company_id for of_project in periods.values() for company_id in of_project.payer_ids}
    return bool(payers - ({other_than.pk} if other_than else set()))


def _typed_lines(sent: QueryDict) -> list[Line]:
    """The lines that the page had, as far as anybody could have typed them."""
    lines: list[Line] = []
    while len(lines) < MOST_LINES and f"company_{len(lines)}" in sent:
        number = len(lines)
        lines.append((sent.get(f"company_{number}", "")[:20], sent.get(f"percent_{number}", "")[:20]))
    return lines


def _changed_lines(sent: QueryDict, lines: list[Line], companies: list[Company], *, were_paid: bool) -> SplitForm:
    """The same lines with one more or one fewer; nothing is checked before it is saved.

    What a company has paid for is offered to move from today on.
    """
    if "add" in sent:
        lines = [*lines, ("", "")]
    lines = [line for number, line in enumerate(lines) if sent.get("remove") != str(number)]
    preselect = "from" if were_paid else "all"
    initial: dict[str, object] = {
        "applies_to": sent["applies_to"] if sent.get("applies_to") in ("all", "from") else preselect,
        "starts_on": sent.get("starts_on", "")[:10] or timezone.now().date(),
    }
    for number, (company, percent) in enumerate(lines):
        initial |= {f"company_{number}": company, f"percent_{number}": percent}
    return SplitForm(initial=initial, companies=companies, lines=len(lines))


def _common_split(projects: list[Project], periods: Mapping[int, Periods]) -> list[Line]:
    """The lines to begin with: how all of these keys are split already, where they are split alike."""
    today = timezone.now().date()
    splits = {periods.get(project.pk, NO_PERIODS).payers_on(today) for project in projects}
    shares = splits.pop() if len(splits) == 1 else ()
    return [(str(company_id), f"{percent.normalize():f}") for company_id, percent in shares] if len(shares) > 1 else []

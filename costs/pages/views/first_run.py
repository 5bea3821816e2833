"""Making companies of the clients that the names of keys suggest: an editable list, a preview, and one act."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from core.cells import number
from core.names import isolated
from core.request_helpers import person
from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.pages.moving import moved_money
from costs.pages.usage_tables import SPEND_COLUMNS, spend
from costs.reports.first_run import SuggestedClients, suggested_clients
from costs.reports.totals import NOTHING, Totals, main_currency
from costs.usage.coverage import Reading
from providers.forms.setting_up import ClientsForm
from providers.models import Company, Project
from providers.moving import Moving
from providers.services.periods import WHOLE
from providers.services.setting_up import ChosenClient, set_up_companies
from providers.wording import chosen_keys


@require_http_methods(["GET", "HEAD", "POST"])
def suggested_companies(request: HttpRequest) -> HttpResponse:
    """``act`` is "preview" or "apply" of a POST; whatever else shows the list to be edited."""
    suggested = suggested_clients(timezone.now().date())
    form = ClientsForm(request.POST if request.method == "POST" else None, suggested.clients)
    act = request.POST.get("act", "")
    if form.is_valid() and act == "apply":
        try:
            done = set_up_companies(clients=form.chosen(), now=timezone.now(), made_by=person(request))
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            messages.success(request, done.summary, extra_tags=reverse("providers:undo", args=[done.change.pk]))
            return redirect("companies:list")
    context = _context(suggested, form)
    if not form.errors and act == "preview":
        context |= {"preview": _preview(form.chosen(), suggested), "moved": moved_money(_moving(form.chosen()))}
        return render(request, "companies/suggested_preview.html", context)
    return render(request, "companies/suggested.html", context, status=422 if form.errors else 200)


def _context(suggested: SuggestedClients, form: ClientsForm) -> dict[str, Any]:
    currency = _currency(suggested)
    parts = [
        {
            "fields": part,
            "keys": chosen_keys(part.client.items),
            "spend": formatters.money(suggested.spend(part.client), currency, reading=Reading.WHOLE),
        }
        for part in form.parts()
    ]
    return {
        "form": form,
        "parts": parts,
        "clients": sum(not client.is_own for client in suggested.clients),
        "unnamed": suggested.unnamed,
        "days": str(suggested.days),
    }


def _moving(chosen: Sequence[ChosenClient]) -> list[Moving]:
    """Each company, new or not, gets all history of its keys."""
    companies = {company.name.casefold(): company for company in Company.objects.all()}
    return [
        Moving(
            each.projects,
            [(companies.setdefault(each.company.casefold(), Company(name=each.company)), WHOLE)],
        )
        for each in chosen
    ]


def _preview(chosen: Sequence[ChosenClient], suggested: SuggestedClients) -> Table:
    """What each company gets; clients of one name are one."""
    known = {company.name.casefold(): company for company in Company.objects.all()}
    merged: dict[str, list[ChosenClient]] = {}
    for client in chosen:
        merged.setdefault(client.company.casefold(), []).append(client)
    return Table(
        "What each company gets",
        (
            Column("Company", is_number=False),
            *SPEND_COLUMNS,
            Column("Keys and agents"),
            Column("", is_number=False),
            Column("Rule for new keys", is_number=False),
        ),
        tuple(
            Row((isolated(clients[0].company), *_cells(clients, suggested, "" if folded in known else "New")))
            for folded, clients in sorted(merged.items())
        ),
        Row(("Total", *_figures([project for client in chosen for project in client.projects], suggested), "", "")),
    )


def _cells(clients: Sequence[ChosenClient], suggested: SuggestedClients, mark: str) -> tuple[str, ...]:
    """What clients of one name get: what their keys cost, how many these are, and a rule."""
    projects = [project for client in clients for project in client.projects]
    prefixes = [f"“{client.prefix}”" for client in clients if client.prefix]
    rule = f"Names that begin with {' or '.join(prefixes)}" if prefixes else "—"
    return (*_figures(projects, suggested), mark, rule)


def _figures(projects: Sequence[Project], suggested: SuggestedClients) -> tuple[str, ...]:
    """What they cost and how many they are."""
    return (*spend(_sum(projects, suggested), _currency(suggested), Reading.WHOLE), number(len(projects)))


def _sum(projects: Sequence[Project], suggested: SuggestedClients) -> Totals:
    return sum((suggested.spend_by_project.get(project.pk, NOTHING) for project in projects), NOTHING)


def _currency(suggested: SuggestedClients) -> str:
    total = sum(suggested.spend_by_project.values(), NOTHING)
    return main_currency(total, {project.provider for client in suggested.clients for project in client.items})

"""Unusual spending: every episode, each by its days and what is behind it, and what somebody knows of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from alerts.models import SpendEpisode
from alerts.permissions import CHANGE_BUDGETS
from alerts.services.episodes import say_of_episode, subject_of
from core.cells import Cell
from core.days import DateRange
from core.money import Money
from core.paging import CountedRows, paginate
from core.request_helpers import person
from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.reports.contributors import Contributor, contributors
from costs.reports.spending import NO_SPEND, daily_spend

PER_PAGE = 30


@require_safe
def episode_list(request: HttpRequest) -> HttpResponse:
    page = paginate(request, CountedRows(SpendEpisode.objects.with_subjects()), of="episodes", size=PER_PAGE)
    return render(request, "unusual/list.html", {"page": page})


@require_safe
def episode_detail(request: HttpRequest, pk: int) -> HttpResponse:
    episode = get_object_or_404(SpendEpisode.objects.with_subjects().select_related("feedback_by"), pk=pk)
    behind = contributors(*subject_of(episode), episode.currency, episode.days)
    context = {
        "episode": episode,
        "days": _days_table(episode),
        "projects": _behind_table("API keys and agents", behind.projects, episode.currency),
        "models": _behind_table("Models", behind.models, episode.currency),
        "by_quantity": behind.by_quantity is not None and Money(episode.currency, behind.by_quantity),
        "by_price": behind.by_price is not None and Money(episode.currency, behind.by_price),
        "choices": [choice for choice in SpendEpisode.Feedback.choices if choice[0]],
        "may_say": request.user.has_perm(CHANGE_BUDGETS),
    }
    return render(request, "unusual/detail.html", context)


@require_POST
def say(request: HttpRequest, pk: int) -> HttpResponse:
    episode = get_object_or_404(SpendEpisode.objects.with_subjects(), pk=pk)
    feedback = request.POST.get("feedback", "")
    if feedback in SpendEpisode.Feedback.values:
        say_of_episode(episode=episode, feedback=feedback, now=timezone.now(), made_by=person(request))
        messages.success(request, "Saved.")
    return redirect(episode)


def _days_table(episode: SpendEpisode) -> Table:
    """By the figures as they are now; two weeks before it, for comparison."""
    subject, pk = subject_of(episode)
    days = DateRange(episode.first_day - timedelta(days=14), episode.last_day)
    spent = daily_spend(subject, days, [pk]).get(pk, NO_SPEND).cost_by_day(episode.currency)
    rows = []
    for day in reversed(list(days)):
        cost = spent.get(day, Decimal(0))
        usual = episode.expected_by_day.get(day.isoformat())
        rows.append(Row((formatters.day(day), *_figures(episode.currency, cost, usual))))
    columns = (Column("Day", is_number=False), Column("Spent"), Column("Usual"), Column("More"))
    return Table(caption="Day by day", columns=columns, rows=tuple(rows), is_dense=True)


def _figures(currency: str, cost: Decimal, usual: str | None) -> tuple[Cell, Cell | str, Cell | str]:
    spent = Money(currency, cost)
    if usual is None:
        return Cell(str(spent), (spent,)), "", ""
    expected, more = Money(currency, Decimal(usual)), Money(currency, cost - Decimal(usual))
    return Cell(str(spent), (spent,)), Cell(str(expected), (expected,)), Cell(str(more), (more,))


def _behind_table(label: str, found: tuple[Contributor, ...], currency: str) -> Table:
    return Table(
        caption=label,
        columns=(Column(label, is_number=False, is_name=True), Column("More")),
        rows=tuple(
            Row((one.label, Cell(f"+{Money(currency, one.more)}", (Money(currency, one.more),)))) for one in found
        ),
        is_dense=True,
    )

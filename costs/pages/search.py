"""Months, as the search finds them: "october", "oct 2026", "2026-10"."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db.models import Min
from django.urls import reverse
from django.utils import timezone

from core.months import first_of, months_between, name_of
from core.search import MOST_OF_A_KIND, Found, fits, register_source
from providers.models import Provider
from providers.permissions import SEE_PROVIDERS


def register() -> None:
    register_source("months", months, position=40)


def months(user: User, words: tuple[str, ...]) -> Iterable[Found]:
    """The statements of each month since the first workspace's history begins, newest first."""
    if not words or not user.has_perm(SEE_PROVIDERS):
        return
    first = Provider.objects.aggregate(first=Min("history_from"))["first"]
    if first is None:
        return
    known = months_between(first_of(first), first_of(timezone.now().date()))
    fitting = [month for month in known if fits(words, f"{name_of(month)} {month:%Y-%m} statements")]
    for month in fitting[:MOST_OF_A_KIND]:
        yield Found("Statements", name_of(month), reverse("statements:month", args=[month]))

"""Days of unusual spending, as charts mark them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.urls import reverse

from alerts.models import SpendEpisode
from core.days import DateRange
from costs.pages.marks import DayMark, Marks
from providers.models import Company, Project, Provider


def unusual_days(subject: Company | Provider | Project | None, days: DateRange) -> Marks:
    """Of several episodes on a day the one with the largest impact; without a subject none of API keys."""
    episodes = SpendEpisode.objects.with_subjects().within(days)
    if isinstance(subject, Company):
        episodes = episodes.filter(company=subject)
    elif isinstance(subject, Provider):
        episodes = episodes.filter(provider=subject)
    elif subject is not None:
        episodes = episodes.filter(project=subject)
    else:
        episodes = episodes.filter(project=None)
    found: dict[date, tuple[Decimal, DayMark]] = {}
    for episode in episodes:
        text = f"{episode.subject}: {episode.impact} more than usual"
        mark = DayMark(text, episode.get_absolute_url(), reverse("unusual:list"))
        for day in episode.days:
            if day not in found or found[day][0] < episode.impact.amount:
                found[day] = episode.impact.amount, mark
    return {day: mark for day, (_impact, mark) in sorted(found.items()) if days.first <= day <= days.last}

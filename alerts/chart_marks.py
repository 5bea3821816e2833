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
    """Of several episodes on a day the one that says most: a company's before a provider's, then the larger one.

    Without a subject none of API keys.
    """
    episodes = SpendEpisode.objects.with_subjects().shown().within(days)
    if isinstance(subject, Company):
        episodes = episodes.filter(company=subject)
    elif isinstance(subject, Provider):
        episodes = episodes.filter(provider=subject)
    elif subject is not None:
        episodes = episodes.filter(project=subject)
    else:
        episodes = episodes.filter(project=None)
    found: dict[date, tuple[tuple[bool, Decimal], DayMark]] = {}
    for episode in episodes:
        text = f"{episode.subject}: {episode.impact} more than usual"
        mark = DayMark(text, episode.get_absolute_url(), reverse("unusual:list"))
        says = (episode.company_id is not None, episode.impact.amount)
        for day in episode.days:
            if day not in found or found[day][0] < says:
                found[day] = says, mark
    return {day: mark for day, (_says, mark) in sorted(found.items()) if days.first <= day <= days.last}

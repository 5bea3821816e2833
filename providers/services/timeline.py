"""Changing one period of a project: moving the day on which it begins, and removing it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from core.wording import day
from providers.models import BEGINNING, NO_PERIODS, Assignment, AssignmentChange, Payers, Project
from providers.services.periods import change_periods

PERIOD_GONE = "This change of company does not exist any more. Reload the page and choose again."


@dataclass(frozen=True)
class MovingDays:
    """Days whose usage gets other payers, both inclusive; ``last`` is None where they have no end."""

    first: date
    last: date | None
    payers: Payers  # empty: nobody


def move_period(
    *, project: Project, starts_on: date, to: date, now: datetime, made_by: User | None = None
) -> AssignmentChange:
    """Let the period that begins on ``starts_on`` begin on ``to`` instead; it stays between its neighbours.

    Raises ValidationError where there is none, where it would pass another one, or where it is the first of all.
    """

    def write() -> None:
        moving_days(project=project, starts_on=starts_on, to=to)
        Assignment.objects.filter(project=project, starts_on=starts_on).update(
            starts_on=to, source=Assignment.Source.HAND
        )

    return change_periods(
        projects=[project],
        write=write,
        starts_on=min(starts_on, to),
        summary=f"{_named(project)}: the change of {day(starts_on)} moved to {day(to)}.",
        now=now,
        made_by=made_by,
    )


def remove_period(*, project: Project, starts_on: date, now: datetime, made_by: User | None = None) -> AssignmentChange:
    """Let the period before it go on; without one, nobody has decided about these days.

    Raises ValidationError where there is no period that begins on ``starts_on``.
    """

    def write() -> None:
        moving_days(project=project, starts_on=starts_on, to=None)
        Assignment.objects.filter(project=project, starts_on=starts_on).delete()

    first = starts_on == BEGINNING
    what = "the first company" if first else f"the change of {day(starts_on)}"
    return change_periods(
        projects=[project],
        write=write,
        starts_on=None if first else starts_on,
        summary=f"{_named(project)}: {what} removed.",
        now=now,
        made_by=made_by,
    )


def moving_days(*, project: Project, starts_on: date, to: date | None) -> MovingDays:
    """What moving the period that begins on ``starts_on`` to begin on ``to`` – or, None, removing it – is about.

    Raises ValidationError as move_period() and remove_period() do.
    """
    periods = Assignment.objects.filter(project=project).by_project().get(project.pk, NO_PERIODS)
    period = next((one for one in periods.in_order if one.starts_on == starts_on), None)
    if period is None:
        raise ValidationError(PERIOD_GONE)
    before = periods.on(starts_on - timedelta(days=1))
    payers_before = before.payers if before else ()
    if to is None:
        return MovingDays(starts_on, period.ends_on, payers_before)
    if period.is_from_the_beginning:
        raise ValidationError("What holds from the beginning has no day to be moved. Add a change instead.")
    if before is not None and to <= before.starts_on:
        raise ValidationError(f"It must begin after {day(before.starts_on)}, when the one before it does.")
    if period.ends_on is not None and to > period.ends_on:
        following = period.ends_on + timedelta(days=1)
        raise ValidationError(f"It must begin before {day(following)}, when the next one does.")
    if to > starts_on:
        return MovingDays(starts_on, to - timedelta(days=1), payers_before)
    return MovingDays(to, starts_on - timedelta(days=1), period.payers)


def _named(project: Project) -> str:
    """Short enough for a summary."""
    name = project.display_name
    return f"“{name if len(name) <= 150 else f'{name[:149]}…'}”"

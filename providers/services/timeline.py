"""Changing one period of a project: moving the day on which it begins, and removing it."""

from __future__ import annotations

from datetime import date, datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from providers.models import BEGINNING, Assignment, AssignmentChange, Project
from providers.services.periods import change_periods

PERIOD_GONE = "This change of company does not exist any more. Reload the page and choose again."


def move_period(
    *, project: Project, starts_on: date, to: date, now: datetime, made_by: User | None = None
) -> AssignmentChange:
    """Let the period that begins on ``starts_on`` begin on ``to`` instead; it stays between its neighbours.

    Raises ValidationError where there is none, where it would pass another one, or where it is the first of all.
    """

    def write() -> None:
        before, after = _neighbours(project, starts_on)
        if starts_on == BEGINNING:
            raise ValidationError("What holds from the beginning has no day to be moved. Add a change instead.")
        if before is not None and to <= before:
            raise ValidationError(f"It must begin after {before.isoformat()}, when the one before it does.")
        if after is not None and to >= after:
            raise ValidationError(f"It must begin before {after.isoformat()}, when the next one does.")
        Assignment.objects.filter(project=project, starts_on=starts_on).update(
            starts_on=to, source=Assignment.Source.HAND
        )

    return change_periods(
        projects=[project],
        write=write,
        starts_on=min(starts_on, to),
        summary=f"{_named(project)}: the change of {starts_on.isoformat()} moved to {to.isoformat()}.",
        now=now,
        made_by=made_by,
    )


def remove_period(*, project: Project, starts_on: date, now: datetime, made_by: User | None = None) -> AssignmentChange:
    """Let the period before it go on; without one, nobody has decided about these days.

    Raises ValidationError where there is no period that begins on ``starts_on``.
    """

    def write() -> None:
        _neighbours(project, starts_on)
        Assignment.objects.filter(project=project, starts_on=starts_on).delete()

    first = starts_on == BEGINNING
    what = "the first company" if first else f"the change of {starts_on.isoformat()}"
    return change_periods(
        projects=[project],
        write=write,
        starts_on=None if first else starts_on,
        summary=f"{_named(project)}: {what} removed.",
        now=now,
        made_by=made_by,
    )


def _neighbours(project: Project, starts_on: date) -> tuple[date | None, date | None]:
    """When the periods before and after it begin; raises ValidationError where it is not there."""
    starts = sorted(Assignment.objects.filter(project=project).values_list("starts_on", flat=True))
    if starts_on not in starts:
        raise ValidationError(PERIOD_GONE)
    place = starts.index(starts_on)
    return starts[place - 1] if place else None, starts[place + 1] if place + 1 < len(starts) else None


def _named(project: Project) -> str:
    """Short enough for a summary."""
    name = project.display_name
    return f"“{name if len(name) <= 150 else f'{name[:149]}…'}”"

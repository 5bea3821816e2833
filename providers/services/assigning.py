"""Assigning projects to companies, from a day on, and undoing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from providers.models import BEGINNING, Assignment, AssignmentChange, AssignmentShare, Company, Project


class UndoConflictError(Exception):
    """What would be undone has been changed since."""


@transaction.atomic
def get_or_create_company(*, name: str) -> tuple[Company, bool]:
    """The company of this name, whatever its capitals; made if there is none. Raises ValidationError."""
    name = " ".join(name.split())
    if existing := Company.objects.named(name).first():
        return existing, False
    company = Company(name=name)
    company.full_clean()
    company.save()
    return company, True


@transaction.atomic
def assign_projects(
    *,
    projects: Sequence[Project],
    company: Company | None,
    starts_on: date | None = None,
    now: datetime,
    made_by: User | None = None,
    created_company: bool = False,
) -> AssignmentChange:
    """Let ``projects`` belong to ``company`` (None: to nobody) and return the change, which can be undone.

    Without ``starts_on`` all history moves: every period of the project is replaced. With it a period starts on that
    UTC day; what was attributed before it stays, and so do periods that start later.
    """
    _lock(projects)
    before = _snapshot(projects)
    if starts_on is None:
        Assignment.objects.filter(project__in=projects).delete()
    else:
        Assignment.objects.filter(project__in=projects, starts_on=starts_on).delete()
    first_day = starts_on or BEGINNING
    # "No company" needs a period of its own only where an earlier one would otherwise go on.
    made = Assignment.objects.bulk_create(
        [Assignment(project=project, starts_on=first_day) for project in projects]
        if company is not None or starts_on is not None
        else []
    )
    if company is not None:
        AssignmentShare.objects.bulk_create(
            [AssignmentShare(assignment=assignment, company=company, percent=Decimal(100)) for assignment in made]
        )
    noun = "key" if len(projects) == 1 else "keys"
    outcome = f"assigned to {company.name}" if company else "unassigned"
    since = f" from {starts_on.isoformat()}" if starts_on else ""
    return AssignmentChange.objects.create(
        made_at=now,
        made_by=made_by,
        summary=f"{len(projects)} {noun} {outcome}{since}.",
        before=before,
        after=_snapshot(projects),
        created_company=company if created_company else None,
    )


@transaction.atomic
def undo_assignment(*, change: AssignmentChange, now: datetime) -> None:
    """Put back what stood before ``change``, and remove the company that it made if nothing else uses it.

    Raises UndoConflictError when it was undone already or the assignments have been changed since.
    """
    projects = list(Project.objects.filter(pk__in=[int(pk) for pk in change.before]))
    _lock(projects)
    claimed = AssignmentChange.objects.filter(pk=change.pk, undone_at=None).update(undone_at=now)
    if not claimed or len(projects) != len(change.before) or _snapshot(projects) != change.after:
        raise UndoConflictError("These keys have been assigned anew since; nothing was undone.")
    Assignment.objects.filter(project__in=projects).delete()
    for project in projects:
        for starts_on, source, shares in change.before[str(project.pk)]:
            assignment = Assignment.objects.create(
                project=project, starts_on=date.fromisoformat(starts_on), source=source
            )
            AssignmentShare.objects.bulk_create(
                [
                    AssignmentShare(assignment=assignment, company_id=company_id, percent=Decimal(percent))
                    for company_id, percent in shares
                ]
            )
    company = change.created_company
    if company is not None and not company.shares.exists():
        company.delete()


def _lock(projects: Sequence[Project]) -> None:
    """Let two people who assign the same projects do so one after the other (SQLite: they do anyway)."""
    locked = Project.objects.select_for_update(no_key=True).filter(pk__in=[project.pk for project in projects])
    list(locked.order_by("pk"))


def _snapshot(projects: Iterable[Project]) -> dict[str, list[list[Any]]]:
    """Every period of ``projects``, as AssignmentChange keeps them."""
    periods: dict[str, list[list[Any]]] = {str(project.pk): [] for project in projects}
    for assignment in (
        Assignment.objects.filter(project__in=projects).order_by("project", "starts_on").prefetch_related("shares")
    ):
        shares = sorted([share.company_id, str(share.percent)] for share in assignment.shares.all())
        periods[str(assignment.project_id)].append([assignment.starts_on.isoformat(), assignment.source, shares])
    return periods

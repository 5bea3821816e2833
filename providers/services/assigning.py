"""Assigning projects to companies, from a day on – whole or by percent – and undoing it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError, RestrictedError

from core.audit import audit_event
from core.wording import day
from providers.models import Assignment, AssignmentChange, Company, Project, describe_shares
from providers.services.periods import (
    WHOLE,
    Shares,
    change_periods,
    companies_in,
    facts,
    lock_projects,
    put_back,
    snapshot,
    start_periods,
)
from providers.signals import notify_assignments_changed
from providers.wording import chosen_keys

# With the rest of the sentence it fits an AssignmentChange's summary.
LONGEST_PAYERS = 200


class UndoConflictError(Exception):
    """What would be undone can't be any more; the text is for the person."""


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
    """Assign ``projects`` to ``company`` (None: to no company) and return the change, which can be undone.

    Without ``starts_on`` all history moves: every period of the project is replaced. With it a period starts on that
    UTC day; what was attributed before it stays, and so do periods that start later.
    Raises ValidationError where the company has been deleted or archived meanwhile.
    """
    shares = {} if company is None else {company: WHOLE}
    outcome = "unassigned" if company is None else f"assigned to {company.name}"
    return change_periods(
        projects=projects,
        companies=shares,
        write=lambda: start_periods(dict.fromkeys(projects, shares), starts_on=starts_on),
        starts_on=starts_on,
        summary=f"{chosen_keys(projects)} {outcome}{since(starts_on)}.",
        now=now,
        made_by=made_by,
        created_company=company if created_company else None,
    )


@transaction.atomic
def split_projects(
    *,
    projects: Sequence[Project],
    shares: Shares,
    starts_on: date | None = None,
    now: datetime,
    made_by: User | None = None,
) -> AssignmentChange:
    """Split the usage of ``projects`` between companies by percent, as assign_projects() gives it to one.

    ``shares`` hold at least two companies, each more than 0 percent with at most two decimals, 100 together.
    Raises ValidationError otherwise, and where a company has been deleted or archived meanwhile.
    """
    check_shares(list(shares.values()))
    payers = describe_shares((company.name, percent) for company, percent in shares.items())
    if len(payers) > LONGEST_PAYERS:
        payers = f"{len(shares)} companies"
    return change_periods(
        projects=projects,
        companies=shares,
        write=lambda: start_periods(dict.fromkeys(projects, shares), starts_on=starts_on),
        starts_on=starts_on,
        summary=f"{chosen_keys(projects)} split between {payers}{since(starts_on)}.",
        now=now,
        made_by=made_by,
    )


@transaction.atomic
def forget_assignments(*, projects: Sequence[Project], now: datetime, made_by: User | None = None) -> AssignmentChange:
    """Remove every period of ``projects``: rules and the provider's sharing then apply to them again."""
    return change_periods(
        projects=projects,
        write=lambda: Assignment.objects.filter(project__in=projects).delete(),
        starts_on=None,
        summary=f"{chosen_keys(projects)} no longer assigned by hand.",
        now=now,
        made_by=made_by,
    )


def check_shares(percents: Sequence[Decimal]) -> None:
    """Raises ValidationError with a sentence unless these percents split something whole."""
    if len(percents) < 2:
        raise ValidationError("Choose at least two companies.")
    for percent in percents:
        if not percent.is_finite() or not 0 < percent < WHOLE or percent != round(percent, 2):
            raise ValidationError("Each percentage must be more than 0 and less than 100, with at most two decimals.")
    total = sum(percents, Decimal(0))
    if total != WHOLE:
        raise ValidationError(f"The percentages add up to {total.normalize():f}; they must add up to exactly 100.")


CHANGED_SINCE = "These keys have been assigned anew since; nothing was undone."


def projects_to_undo(change: AssignmentChange) -> list[Project]:
    """The projects of ``change``. Raises UndoConflictError where their assignments are not as it left them."""
    projects = list(Project.objects.select_related("provider").filter(pk__in=change.before).order_by("pk"))
    if change.undone_at or len(projects) != len(change.before) or snapshot(projects) != change.after:
        raise UndoConflictError(CHANGED_SINCE)
    return projects


@transaction.atomic
def undo_assignment(*, change: AssignmentChange, now: datetime, made_by: User | None = None) -> None:
    """Restore the periods from before ``change``, and remove the company that it made if nothing else uses it.

    Raises UndoConflictError when it was undone already or the assignments have been changed since.
    """
    project_ids = [int(pk) for pk in change.before]
    lock_projects(project_ids)
    claimed = AssignmentChange.objects.filter(pk=change.pk, undone_at=None).update(undone_at=now)
    if not claimed:
        raise UndoConflictError(CHANGED_SINCE)
    projects = projects_to_undo(change)
    payers = companies_in(change.before)
    # Locked, so that none of them is deleted before this transaction's end.
    if len(Company.objects.select_for_update(no_key=True).filter(pk__in=payers).order_by("pk")) != len(payers):
        raise UndoConflictError("A company that these keys belonged to has been deleted since; nothing was undone.")
    put_back(change.before)
    # Before the company goes: what the apps above derive from the assignments refers to it.
    notify_assignments_changed(project_ids)
    removed = change.created_company.name if change.created_company and _remove_unused(change.created_company) else ""
    audit_event(
        "assignment.undone",
        change,
        actor=made_by,
        old=facts(change.after, projects),
        new=facts(change.before, projects) | ({"removed_company": removed} if removed else {}),
    )


def latest_changes(number: int) -> list[tuple[AssignmentChange, bool]]:
    """The latest ones with whether each can be undone still: nothing has changed its keys since. Three queries.

    undo_assignment() has the last word.
    """
    changes = list(AssignmentChange.objects.select_related("made_by").order_by("-made_at", "-pk")[:number])
    ids = {int(pk) for change in changes for pk in change.after}
    now = snapshot(Project.objects.filter(pk__in=ids))
    return [
        (change, change.undone_at is None and all(now.get(pk) == periods for pk, periods in change.after.items()))
        for change in changes
    ]


def _remove_unused(company: Company) -> bool:
    """Delete a company that nothing refers to any more; whether it could be deleted."""
    Company.objects.select_for_update().filter(pk=company.pk).first()  # no other transaction may begin to use it now
    try:
        company.delete()
    except (ProtectedError, RestrictedError):
        return False
    return True


def since(starts_on: date | None) -> str:
    """ " from 15 Nov 2026", or nothing for all history."""
    return f" from {day(starts_on)}" if starts_on else ""

"""The steps that every change of assignments shares: lock, snapshot, write periods, notify the apps above.

Locks are taken in the order in which a sync's writing transaction takes them: providers, then projects, then companies,
each by id. So there are no deadlocks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from core.audit import audit_event
from providers.models import (
    BEGINNING,
    NO_PERIODS,
    Assignment,
    AssignmentChange,
    AssignmentShare,
    Company,
    Period,
    Project,
    Provider,
    periods_of,
)
from providers.signals import notify_assignments_changed

# Which companies pay, and how many percent each; empty: unassigned.
Shares = Mapping[Company, Decimal]

# {project id: [[starts_on, source, [[company id, percent], …]], …]}, as AssignmentChange keeps it.
Snapshot = dict[str, list[list[Any]]]

WHOLE = Decimal(100)

# How many keys and companies the audit log names; it always holds the number of keys.
NAMED_AT_MOST = 20

KEY_GONE = "Some of these keys don't exist any more. Reload the page and choose again."
COMPANY_GONE = "This company doesn't exist any more. Reload the page and choose again."


@transaction.atomic
def change_periods(
    *,
    projects: Sequence[Project],
    companies: Iterable[Company] = (),
    write: Callable[[], object],
    starts_on: date | None,
    summary: str,
    now: datetime,
    made_by: User | None = None,
    created_company: Company | None = None,
    action: str = "keys.assigned",
) -> AssignmentChange:
    """Change periods under locks: the one way to do it, with a record for undoing it, a signal and an audit event.

    ``write`` does it; ``companies`` are those that it makes pay. Raises ValidationError where one of them has been
    deleted or archived meanwhile, or a project was deleted with its provider.
    """
    if lock_projects([project.pk for project in projects]) != len(projects):
        raise ValidationError(KEY_GONE)
    lock_companies(companies)
    before = snapshot(projects)
    write()
    after = snapshot(projects)
    change = AssignmentChange.objects.create(
        made_at=now, made_by=made_by, summary=summary, before=before, after=after, created_company=created_company
    )
    notify_assignments_changed([project.pk for project in projects])
    new = facts(after, projects) | {"from": starts_on.isoformat() if starts_on else None}
    audit_event(action, change, actor=made_by, old=facts(before, projects), new=new)
    return change


def lock_providers(provider_ids: Collection[int]) -> None:
    """Lock these providers: whatever else assigns their keys or stores their usage waits for this transaction."""
    locked = Provider.objects.select_for_update(no_key=True).filter(pk__in=provider_ids)
    list(locked.order_by("pk").values_list("pk"))


def lock_projects(project_ids: Collection[int]) -> int:
    """Their providers, then the projects themselves; returns how many of them there still are."""
    projects = Project.objects.filter(pk__in=project_ids).order_by()
    lock_providers(set(projects.values_list("provider_id", flat=True)))
    return len(projects.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def lock_companies(companies: Iterable[Company]) -> None:
    """After the projects. Raises ValidationError where one was deleted or archived meanwhile."""
    wanted = {company.pk for company in companies}
    if not wanted:
        return
    locked = Company.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    stored = list(locked.values_list("name", "archived_at"))
    if len(stored) != len(wanted):
        raise ValidationError(COMPANY_GONE)
    for name, archived_at in stored:
        if archived_at is not None:
            raise ValidationError(archived_sentence(name))


def archived_sentence(name: str) -> str:
    return f"{name} is archived. Restore it before keys are assigned to it."


def snapshot(projects: Collection[Project]) -> Snapshot:
    """Every period of ``projects``."""
    stored = periods_of([project.pk for project in projects])
    return {
        str(project.pk): [as_entry(period) for period in stored.get(project.pk, NO_PERIODS).in_order]
        for project in projects
    }


def as_entry(period: Period) -> list[Any]:
    """A period in a snapshot."""
    shares = [[company_id, str(percent)] for company_id, percent in period.payers]
    return [period.starts_on.isoformat(), period.source, shares]


def start_periods(
    payers: Mapping[Project, Shares], *, starts_on: date | None, source: Assignment.Source = Assignment.Source.HAND
) -> None:
    """Let each project's usage be paid by its shares from ``starts_on`` on, whatever began on that very day.

    Without ``starts_on`` one period from the beginning replaces every other. No shares make a period of their own too:
    being unassigned is then a decision like any other, which neither a rule nor a provider's setting overrides.
    """
    replaced = Assignment.objects.filter(project__in=payers)
    if starts_on is not None:
        replaced = replaced.filter(starts_on=starts_on)
    replaced.delete()
    made = Assignment.objects.bulk_create(
        [Assignment(project=project, starts_on=starts_on or BEGINNING, source=source) for project in payers]
    )
    AssignmentShare.objects.bulk_create(
        [
            AssignmentShare(assignment=assignment, company=company, percent=percent)
            for assignment in made
            for company, percent in payers[assignment.project].items()
        ]
    )


def put_back(periods: Snapshot) -> None:
    """Replace all periods of these projects by ``periods``; the projects and companies must exist."""
    Assignment.objects.filter(project__in=[int(pk) for pk in periods]).delete()
    entries = [(int(pk), entry) for pk, of_project in periods.items() for entry in of_project]
    made = Assignment.objects.bulk_create(
        [
            Assignment(project_id=pk, starts_on=date.fromisoformat(starts_on), source=source)
            for pk, (starts_on, source, _shares) in entries
        ]
    )
    AssignmentShare.objects.bulk_create(
        [
            AssignmentShare(assignment=assignment, company_id=company_id, percent=Decimal(percent))
            for assignment, (_pk, (_starts_on, _source, shares)) in zip(made, entries, strict=True)
            for company_id, percent in shares
        ]
    )


def companies_in(periods: Snapshot) -> set[int]:
    """The ids of every company that pays in one of ``periods``."""
    return {
        company_id
        for of_project in periods.values()
        for _starts_on, _source, shares in of_project
        for company_id, _percent in shares
    }


def facts(periods: Snapshot, projects: Sequence[Project]) -> dict[str, Any]:
    """``periods`` in a few words for the audit log: how many keys, some of their names, and who pays for them."""
    companies = Company.objects.filter(pk__in=companies_in(periods)).order_by("name").values_list("name", flat=True)
    return {
        "number": len(projects),
        "keys": [project.display_name for project in projects[:NAMED_AT_MOST]],
        "companies": list(companies[:NAMED_AT_MOST]),
    }

"""Deleting a provider while others use it, with any amount of history, and what is left of it on statements."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from costs.models import SUMS, AttributedUsage, DailyUsage, ReadDay, Restatement, StatementLine
from costs.statements.adjustments import closed_months
from costs.statements.closing import close_month
from costs.statements.contents import draft_sheets, sum_of
from providers.models import Assignment, AssignmentRule, Project, Provider, SyncRun
from providers.services.assigning import assign_projects
from providers.services.managing import delete_provider
from providers.services.projects import projects_for_usage
from tests.factories import (
    NOW,
    TODAY,
    derive,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_rule,
    make_run,
    make_split,
    make_usage,
)

pytestmark = pytest.mark.django_db

ROUNDS = 3
TRIES = 6


def with_everything(*, keys: int = 2, days: int = 2) -> Provider:
    """A provider that every kind of row refers to."""
    provider = make_provider(keyless_sharing=Provider.KeylessSharing.EVENLY)
    acme, globex = make_company(), make_company()
    first = TODAY - timedelta(days=days)
    projects = [make_project(provider=provider, first_used_on=first) for _ in range(keys)]
    for project in projects:
        make_split(project=project, shares={acme: 60, globex: 40})
    used = [make_keyless(provider=provider), *projects]
    DailyUsage.objects.bulk_create(
        DailyUsage(project=project, day=first + timedelta(days=number), credits=Decimal(7), updated_at=NOW)
        for project in used
        for number in range(days)
    )
    derive([project.pk for project in used])
    make_read_days(provider=provider, first=first, last=TODAY)
    make_rule(company=acme, provider=provider)
    run = make_run(provider=provider, outcome="succeeded", finished_at=NOW)
    Restatement.objects.create(project=projects[0], day=first, run=run, restated_at=NOW)
    make_run(provider=provider)
    return provider


def remove(provider: Provider) -> None:
    delete_provider(provider=provider, confirmed_name=provider.name)


def test_nothing_refers_to_a_deleted_provider() -> None:
    """Neither what was stored of it nor what was derived; another provider's rows stay."""
    provider, other = with_everything(), with_everything()
    models: tuple[Any, ...] = (DailyUsage, AttributedUsage, *SUMS, ReadDay, Restatement, SyncRun, Project, Assignment)
    before = [model.objects.count() for model in models]

    remove(provider)

    assert [2 * model.objects.count() for model in models] == before
    assert list(Provider.objects.all()) == [other]
    assert AssignmentRule.objects.filter(provider=other).count() == AssignmentRule.objects.count() == 1


def test_usage_is_deleted_without_being_loaded() -> None:
    """As many statements for hundreds of rows as for a few, and none that reads usage."""
    statements = []
    for days in (2, 200):
        provider = with_everything(days=days)
        with CaptureQueriesContext(connection) as captured:
            remove(provider)
        statements.append([query["sql"] for query in captured])

    few, many = statements
    assert len(few) == len(many)
    assert not [sql for sql in many if sql.startswith("SELECT") and ("dailyusage" in sql or "attributed" in sql)]


def test_frozen_statements_stay_and_the_next_ones_credit_them() -> None:
    """A closed month says what it said; that nothing of it stands any more is an adjustment like any other."""
    company, month = make_company(), date(2026, 10, 1)
    project = make_project(provider=make_provider(name="Gone", history_from=month))
    make_assignment(project=project, company=company)
    make_usage(project=project, day=date(2026, 10, 5), cost=Decimal("1.25"))
    make_read_days(provider=project.provider, first=month, last=TODAY)
    close_month(month=month, now=NOW)

    remove(project.provider)

    line = StatementLine.objects.get()
    assert (line.provider_name, line.cost) == ("Gone", Decimal("1.25"))
    (amounts,) = sum_of(draft_sheets(date(2026, 11, 1), closed=closed_months()))
    assert amounts.cost == Decimal("-1.25")


def test_name_that_was_changed_meanwhile_is_asked_for_again() -> None:
    """What is typed is compared with what is stored now, not with what the page was made from."""
    provider = make_provider(name="Old")
    Provider.objects.filter(pk=provider.pk).update(name="New")

    with pytest.raises(ValidationError, match="New"):
        delete_provider(provider=provider, confirmed_name="Old")

    assert Provider.objects.exists()


def test_second_delete_finds_it_gone() -> None:
    """And says so."""
    provider = make_provider()
    remove(provider)
    provider.pk = 1

    with pytest.raises(ValidationError, match="deleted meanwhile"):
        remove(provider)


def test_key_of_a_deleted_provider_is_not_assigned() -> None:
    """Whoever chose it on a page that is still open is told."""
    project = make_project()
    remove(project.provider)
    project.pk = 1

    with pytest.raises(ValidationError, match="don't exist any more"):
        assign_projects(projects=[project], company=make_company(), now=NOW)


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_in_a_circle() -> None:
    """Providers are deleted while somebody assigns their keys and a sync stores what it has read."""
    company = make_company()
    errors: list[BaseException] = []
    for _ in range(ROUNDS):
        provider = with_everything(keys=3)
        keys = list(provider.projects.filter(kind=Project.Kind.KEY))
        errors += at_once(
            partial(assign_until_gone, keys, company),
            partial(assign_until_gone, keys[::-1], company),
            partial(sync_until_gone, provider, keys[0]),
            partial(remove, provider),
        )

    assert errors == []
    assert not Provider.objects.exists()
    assert not AttributedUsage.objects.exists()


def assign_until_gone(projects: list[Project], company: object) -> None:
    for _ in range(TRIES):
        try:
            assign_projects(projects=projects, company=company, now=NOW)  # type: ignore[arg-type]
        except ValidationError:
            return


def sync_until_gone(provider: Provider, project: Project) -> None:
    for number in range(TRIES):
        with transaction.atomic():
            if not Provider.objects.filter(pk=provider.pk).update(claimed_by="somebody"):  # as a sync's claim does
                return
            projects_for_usage(provider=provider, names={project.external_id: f"Name {number}"})


def at_once(*acts: Callable[[], object]) -> list[BaseException]:
    """Carry each out in a thread of its own; what went wrong."""
    errors: list[BaseException] = []

    def carry_out(act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - returned
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=carry_out, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors

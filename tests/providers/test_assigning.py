"""Assigning projects to companies from a day on, whole or by percent, and undoing it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from providers.models import Assignment, AssignmentChange, Company, Project, Provider
from providers.services.assigning import (
    UndoConflictError,
    assign_projects,
    forget_assignments,
    split_projects,
    undo_assignment,
)
from providers.services.companies import get_or_create_company
from providers.services.projects import projects_for_usage
from tests.factories import NOW, make_assignment, make_company, make_project, make_provider, make_rule, make_user
from tests.providers.listening import Told

pytestmark = pytest.mark.django_db

# So many that locks in another order are met with near certainty.
ROUNDS = 12

FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 15)


def periods(project: Project) -> list[tuple[date, list[str]]]:
    return [
        (period.starts_on, [share.company.name for share in period.shares.all()])
        for period in Assignment.objects.filter(project=project)
    ]


BEGINNING = date(1970, 1, 1)


def test_all_history_moves() -> None:
    """Every period is replaced by one from the beginning."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Old"))
    make_assignment(project=project, company=None, starts_on=FIRST)

    assign_projects(projects=[project], company=make_company(name="New"), now=NOW)

    assert periods(project) == [(BEGINNING, ["New"])]


def test_assignment_from_a_day_leaves_earlier_and_later_periods() -> None:
    """A period starts there; it ends where the next one starts."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Old"))
    make_assignment(project=project, company=make_company(name="Later"), starts_on=SECOND)

    assign_projects(projects=[project], company=make_company(name="New"), starts_on=FIRST, now=NOW)

    assert periods(project) == [(BEGINNING, ["Old"]), (FIRST, ["New"]), (SECOND, ["Later"])]


def test_assignment_from_the_same_day_replaces_that_period() -> None:
    """A day begins one period."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Old"), starts_on=FIRST)

    assign_projects(projects=[project], company=make_company(name="New"), starts_on=FIRST, now=NOW)

    assert periods(project) == [(FIRST, ["New"])]


@pytest.mark.parametrize(
    ("starts_on", "expected"), [(None, [(BEGINNING, [])]), (FIRST, [(BEGINNING, ["Old"]), (FIRST, [])])]
)
def test_nobody_is_a_decision_with_a_period_of_its_own(
    starts_on: date | None, expected: list[tuple[date, list[str]]]
) -> None:
    """So that neither a rule nor a provider's setting decides otherwise."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Old"))

    assign_projects(projects=[project], company=None, starts_on=starts_on, now=NOW)

    assert periods(project) == expected


def test_many_projects_are_assigned_at_once_and_others_stay() -> None:
    """The change tells how many, to whom and from when."""
    projects, other = [make_project() for _ in range(3)], make_project()
    acme, user = make_company(name="Acme"), make_user()

    change = assign_projects(projects=projects, company=acme, starts_on=FIRST, now=NOW, made_by=user)

    assert [periods(project) for project in projects] == [[(FIRST, ["Acme"])]] * 3
    assert periods(other) == []
    assert (change.summary, change.made_by, change.made_at) == ("3 keys assigned to Acme from 1 Nov 2026.", user, NOW)


def test_undo_puts_back_what_stood_before() -> None:
    """Every period with its company."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Old"))
    make_assignment(project=project, company=None, starts_on=SECOND)
    before = periods(project)
    change = assign_projects(projects=[project], company=make_company(), now=NOW)

    undo_assignment(change=change, now=NOW)

    assert periods(project) == before


def test_undo_removes_the_company_that_was_made_for_it() -> None:
    """Unless something else uses it by now."""
    project, other = make_project(), make_project()
    company, _is_new = get_or_create_company(name="Acme")
    change = assign_projects(projects=[project], company=company, now=NOW, created_company=True)
    second = assign_projects(projects=[other], company=company, now=NOW, created_company=True)

    undo_assignment(change=second, now=NOW)
    assert Company.objects.filter(name="Acme").exists()
    undo_assignment(change=change, now=NOW)

    assert not Company.objects.filter(name="Acme").exists()


def test_undo_happens_once() -> None:
    """A second click is told so."""
    project = make_project()
    change = assign_projects(projects=[project], company=make_company(), now=NOW)
    undo_assignment(change=change, now=NOW)

    with pytest.raises(UndoConflictError):
        undo_assignment(change=change, now=NOW)


def test_undo_of_what_has_been_changed_since_is_refused() -> None:
    """The later decision stays, and the change may still be looked at."""
    project = make_project()
    change = assign_projects(projects=[project], company=make_company(), now=NOW)
    assign_projects(projects=[project], company=make_company(name="Later"), now=NOW)

    with pytest.raises(UndoConflictError):
        undo_assignment(change=change, now=NOW + timedelta(minutes=1))

    assert periods(project) == [(BEGINNING, ["Later"])]
    change.refresh_from_db()
    assert change.undone_at is None


def test_undo_keeps_a_company_that_a_rule_names() -> None:
    """The rule needs it."""
    project = make_project()
    company, _is_new = get_or_create_company(name="Acme")
    change = assign_projects(projects=[project], company=company, now=NOW, created_company=True)
    make_rule(company=company)

    undo_assignment(change=change, now=NOW)

    assert Company.objects.filter(name="Acme").exists()


def test_undo_that_needs_a_deleted_company_is_refused() -> None:
    """What it would put back can't stand any more."""
    project, old = make_project(), make_company()
    make_assignment(project=project, company=old)
    change = assign_projects(projects=[project], company=make_company(name="New"), now=NOW)
    old.delete()

    with pytest.raises(UndoConflictError, match="has been deleted since"):
        undo_assignment(change=change, now=NOW)

    assert periods(project) == [(BEGINNING, ["New"])]


@pytest.mark.parametrize("archived", [True, False])
def test_company_that_has_gone_meanwhile_is_refused(archived: bool) -> None:  # noqa: FBT001 - a test's parameter
    """Between the form and the writing it was archived, or deleted."""
    project, company = make_project(), make_company()
    if archived:
        Company.objects.update(archived_at=NOW)
    else:
        Company.objects.all().delete()

    with pytest.raises(ValidationError, match="is archived" if archived else "exist any more"):
        assign_projects(projects=[project], company=company, now=NOW)

    assert periods(project) == []
    assert not AssignmentChange.objects.exists()


def test_forgetting_leaves_no_decision_and_can_be_undone() -> None:
    """As if nobody had ever assigned the key."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Acme"))

    change = forget_assignments(projects=[project], now=NOW)
    forgotten = periods(project)
    undo_assignment(change=change, now=NOW)

    assert forgotten == []
    assert periods(project) == [(BEGINNING, ["Acme"])]


# --- Splitting --------------------------------------------------------------------------------------------------------


def split(project: Project, *percents: str, starts_on: date | None = None) -> AssignmentChange:
    companies = [make_company(name=name) for name in ("Acme", "Globex", "Initech")]
    shares = {company: Decimal(percent) for company, percent in zip(companies, percents, strict=False)}
    return split_projects(projects=[project], shares=shares, starts_on=starts_on, now=NOW)


def payers(project: Project) -> list[tuple[date, str]]:
    return [(period.starts_on, period.payers) for period in Assignment.objects.filter(project=project)]


def test_usage_is_split_from_a_day_on() -> None:
    """The change says how; what was before stays."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Old"))

    change = split(project, "40", "60", starts_on=FIRST)

    assert payers(project) == [(BEGINNING, "Old"), (FIRST, "Globex 60 % · Acme 40 %")]
    assert change.summary == "1 key split between Globex 60 % · Acme 40 % from 1 Nov 2026."


def test_split_of_all_history_is_undone() -> None:
    """Undo puts every percent back, too."""
    project = make_project()
    first = split(project, "33.33", "33.33", "33.34")
    assign_projects(projects=[project], company=Company.objects.first(), now=NOW)
    second = AssignmentChange.objects.exclude(pk=first.pk).get()

    undo_assignment(change=second, now=NOW)

    assert payers(project) == [(BEGINNING, "Initech 33.34 % · Acme 33.33 % · Globex 33.33 %")]


@pytest.mark.parametrize(
    ("percents", "sentence"),
    [
        (["100"], "at least two companies"),
        ([], "at least two companies"),
        (["50", "49.99"], "add up to 99.99; they must add up to exactly 100"),
        (["50", "50.01"], "add up to 100.01"),
        (["100", "0"], "more than 0"),
        (["101", "-1"], "more than 0"),
        (["33.333", "66.667"], "at most two decimals"),
        (["NaN", "50"], "more than 0"),
        (["Infinity", "50"], "more than 0"),
    ],
)
def test_shares_that_do_not_make_a_whole_are_refused(percents: list[str], sentence: str) -> None:
    """Nothing is written."""
    project = make_project()

    with pytest.raises(ValidationError, match=sentence):
        split(project, *percents)

    assert payers(project) == []


def test_summary_of_a_split_between_many_companies_stays_short() -> None:
    """It holds 300 characters."""
    shares = {make_company(name=f"{number} " + "x" * 110): Decimal(5) for number in range(20)}

    change = split_projects(projects=[make_project()], shares=shares, now=NOW)

    assert change.summary == "1 key split between 20 companies."


# --- What the apps above are told -------------------------------------------------------------------------------------


def test_every_change_is_told_with_its_projects(told: Told) -> None:
    """Once each, whoever made it and however."""
    one, other = make_project(), make_project()
    told.assignments.clear()

    change = assign_projects(projects=[one, other], company=make_company(), now=NOW)
    undo_assignment(change=change, now=NOW)
    split(one, "50", "50")

    assert told.assignments == [{one.pk, other.pk}, {one.pk, other.pk}, {one.pk}]


def test_undo_is_told_while_the_company_is_still_there(told: Told) -> None:
    """What is derived from the assignments refers to it until then."""
    company, _is_new = get_or_create_company(name="Acme")
    change = assign_projects(projects=[make_project()], company=company, now=NOW, created_company=True)
    seen: list[bool] = []
    told.on_assignments = lambda: seen.append(Company.objects.filter(name="Acme").exists())

    undo_assignment(change=change, now=NOW)

    assert seen == [True]
    assert not Company.objects.filter(name="Acme").exists()


def test_failing_receiver_undoes_the_change(told: Told) -> None:
    """What is derived and what it is derived from stand or fall together."""
    project, company = make_project(), make_company()

    def fail() -> None:
        raise RuntimeError

    told.on_assignments = fail
    with pytest.raises(RuntimeError):
        assign_projects(projects=[project], company=company, now=NOW)

    assert periods(project) == []
    assert not AssignmentChange.objects.exists()


def test_audit_log_is_told_who_did_what(told: Told) -> None:
    """With what stood before, in a few words."""
    user, project = make_user(), make_project(name="Hotline")
    make_assignment(project=project, company=make_company(name="Old"))

    change = assign_projects(
        projects=[project], company=make_company(name="Acme"), starts_on=FIRST, now=NOW, made_by=user
    )
    undo_assignment(change=change, now=NOW, made_by=user)

    assigned, undone = told.acts
    assert (assigned.action, assigned.target, assigned.actor) == ("keys.assigned", change, user)
    assert assigned.old == {"number": 1, "keys": ["Hotline"], "companies": ["Old"]}
    assert assigned.new == {"number": 1, "keys": ["Hotline"], "companies": ["Acme", "Old"], "from": "2026-11-01"}
    assert (undone.action, undone.actor, undone.new["companies"]) == ("assignment.undone", user, ["Old"])


def test_audit_log_stays_small_however_many_keys(told: Told) -> None:
    """Twenty names are enough; the number is whole."""
    provider = make_provider()
    projects = [make_project(provider=provider) for _ in range(50)]

    assign_projects(projects=projects, company=make_company(), now=NOW)

    assert (told.acts[0].new["number"], len(told.acts[0].new["keys"])) == (50, 20)


# --- At once ----------------------------------------------------------------------------------------------------------


def at_once(*acts: Callable[[], object]) -> list[Exception]:
    """Carry each out in a thread of its own; what went wrong."""
    errors: list[Exception] = []

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


@pytest.mark.django_db(transaction=True)
def test_people_who_assign_the_same_key_at_once_do_so_one_after_the_other() -> None:
    """Each finds what the one before left, and one period stands in the end."""
    project = make_project()
    companies = [make_company() for _ in range(5)]

    errors = at_once(*(partial(assign_projects, projects=[project], company=company, now=NOW) for company in companies))

    changes = list(AssignmentChange.objects.all())
    befores = {str(change.before[str(project.pk)]) for change in changes}
    afters = {str(change.after[str(project.pk)]) for change in changes}
    assert errors == []
    assert len(befores) == len(afters) == len(companies)
    assert befores - afters == {"[]"}
    assert Assignment.objects.filter(project=project).count() == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_in_a_circle() -> None:
    """Keys of several providers, chosen in opposite orders, while a sync stores what it has read."""
    projects = [make_project() for _ in range(4)]
    company = make_company()

    def assign(order: list[Project]) -> None:
        for _ in range(ROUNDS):
            assign_projects(projects=order, company=company, now=NOW)

    def sync(project: Project) -> None:
        for number in range(ROUNDS):
            with transaction.atomic():
                Provider.objects.filter(pk=project.provider_id).update(claimed_by="somebody")  # as a sync's claim does
                projects_for_usage(provider=project.provider, names={project.external_id: f"Name {number}"})

    errors = at_once(
        partial(assign, projects), partial(assign, projects[::-1]), *(partial(sync, project) for project in projects)
    )

    assert errors == []
    assert AssignmentChange.objects.count() == 2 * ROUNDS

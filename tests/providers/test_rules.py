"""Rules decide about new keys at once and about existing ones after a preview; never where a person has decided."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from providers.models import Assignment, AssignmentChange, AssignmentRule, AssignmentShare, Company, Project, Provider
from providers.services import rules
from providers.services.assigning import assign_projects, undo_assignment
from providers.services.projects import ListedProject, projects_for_usage, record_listed_projects
from providers.services.rules import (
    OutcomeChangedError,
    apply_rules,
    delete_rule,
    move_rule,
    preview_rules,
    save_rule,
)
from tests.factories import (
    NOW,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_rule,
    make_user,
)
from tests.providers.listening import Told

pytestmark = pytest.mark.django_db

MID_NOVEMBER = date(2026, 11, 15)


@pytest.fixture
def provider() -> Provider:
    return make_provider(name="Production")


@pytest.fixture
def acme() -> Company:
    return make_company(name="Acme")


def payers(provider: Provider) -> dict[str, str]:
    """Who pays for each key, in all its periods."""
    periods = Assignment.objects.filter(project__provider=provider).select_related("project").order_by("starts_on")
    result: dict[str, str] = {}
    for period in periods:
        result[period.project.name] = " | ".join(filter(None, [result.get(period.project.name), period.payers]))
    return result


def assign_by_rule(project: Project, company: Company, starts_on: date = date(1970, 1, 1)) -> None:
    period = Assignment.objects.create(project=project, starts_on=starts_on, source=Assignment.Source.RULE)
    AssignmentShare.objects.create(assignment=period, company=company)


def apply(starts_on: date | None = None) -> AssignmentChange:
    return apply_rules(expected=preview_rules(starts_on=starts_on).fingerprint, starts_on=starts_on, now=NOW)


def listed(external_id: str, name: str) -> ListedProject:
    return ListedProject(external_id=external_id, name=name, hint="a91f", is_disabled=False, disabled_reason="")


# --- Keeping them -----------------------------------------------------------------------------------------------------


def test_new_rule_is_the_last(acme: Company, told: Told) -> None:
    """An older one keeps its say."""
    user = make_user()
    make_rule(pattern="first")

    save_rule(rule=AssignmentRule(kind=AssignmentRule.Kind.CONTAINS, pattern="second", company=acme), made_by=user)

    assert [rule.pattern for rule in AssignmentRule.objects.all()] == ["first", "second"]
    assert (told.actions, told.acts[0].actor) == (["rule.created"], user)
    assert told.acts[0].new == {"kind": "contains", "pattern": "second", "company": "Acme", "provider": ""}


def test_changed_rule_keeps_its_place(acme: Company, told: Told) -> None:
    """And tells what it was; saving the same again tells nothing."""
    rule, _last = make_rule(pattern="first", company=acme), make_rule(pattern="second")

    rule.pattern = "changed"
    save_rule(rule=rule)
    save_rule(rule=AssignmentRule.objects.get(pk=rule.pk))

    assert [rule.pattern for rule in AssignmentRule.objects.all()] == ["changed", "second"]
    assert told.actions == ["rule.changed"]
    assert (told.acts[0].old["pattern"], told.acts[0].new["pattern"]) == ("first", "changed")


def test_rules_change_places(told: Told) -> None:
    """Up and down, and nowhere from either end."""
    first, second, third = [make_rule(pattern=pattern) for pattern in ("a", "b", "c")]

    moved = [
        move_rule(rule=third, up=True),
        move_rule(rule=first, up=False),
        move_rule(rule=third, up=True),
        move_rule(rule=second, up=False),
    ]

    assert moved == [True, True, False, False]
    assert [rule.pattern for rule in AssignmentRule.objects.all()] == ["c", "a", "b"]
    assert (told.acts[0].old, told.acts[0].new) == ({"position": 3}, {"position": 2})


def test_deleted_rule_leaves_its_keys(provider: Provider, acme: Company, told: Told) -> None:
    """What it has assigned stays."""
    rule = make_rule(company=acme)
    make_project(provider=provider, name="acme-1")
    apply()

    delete_rule(rule=rule)

    assert payers(provider) == {"acme-1": "Acme"}
    assert told.actions == ["rule.applied", "rule.deleted"]


def test_rules_are_limited(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is tried on each new key."""
    monkeypatch.setattr(rules, "RULE_LIMIT", 1)
    make_rule()

    with pytest.raises(ValidationError, match="at most 1 rules"):
        save_rule(rule=AssignmentRule(kind="contains", pattern="x", company=acme))


def test_rule_that_was_deleted_meanwhile_does_not_come_back(acme: Company) -> None:
    """Saving it is refused."""
    rule = make_rule(company=acme)
    AssignmentRule.objects.all().delete()

    with pytest.raises(ValidationError, match="deleted meanwhile"):
        save_rule(rule=rule)

    assert not AssignmentRule.objects.exists()


# --- New keys ---------------------------------------------------------------------------------------------------------


def test_new_key_from_usage_goes_to_the_first_rule_that_fits(provider: Provider, acme: Company, told: Told) -> None:
    """From the beginning, by rule, and told."""
    make_rule(pattern="acme web", company=make_company(name="Acme Web"))
    make_rule(pattern="acme", company=acme)

    ids = projects_for_usage(provider=provider, names={"a": "Acme hotline", "b": "ACME Web 2", "c": "Globex", None: ""})

    assert payers(provider) == {"Acme hotline": "Acme", "ACME Web 2": "Acme Web"}
    assert {(period.starts_on, period.source) for period in Assignment.objects.all()} == {(date(1970, 1, 1), "rule")}
    assert told.assignments == [{ids["a"], ids["b"]}]
    assert (told.actions, told.acts[0].target, told.acts[0].new["number"]) == (["rule.applied"], provider, 2)


def test_new_key_from_a_listing_goes_to_the_first_rule_that_fits(provider: Provider, acme: Company) -> None:
    """Used or not."""
    make_rule(company=acme)

    record_listed_projects(provider=provider, listed=[listed("a", "Acme"), listed("b", "Globex")], now=NOW)

    assert payers(provider) == {"Acme": "Acme"}


@pytest.mark.parametrize("source", ["usage", "listing"])
def test_key_is_assigned_when_it_gets_its_first_name(provider: Provider, acme: Company, source: str) -> None:
    """Without a name it fits no rule, not even one for all names."""
    make_rule(kind="matches", pattern="*", company=acme)
    projects_for_usage(provider=provider, names={"a": ""})
    unnamed = payers(provider)

    if source == "usage":
        projects_for_usage(provider=provider, names={"a": "Acme"})
    else:
        record_listed_projects(provider=provider, listed=[listed("a", "Acme")], now=NOW)

    assert unnamed == {}
    assert payers(provider) == {"Acme": "Acme"}


def test_known_key_with_another_name_stays_as_it_is(provider: Provider, acme: Company, told: Told) -> None:
    """Rules decide once."""
    projects_for_usage(provider=provider, names={"a": "Old"})
    make_rule(company=acme)

    projects_for_usage(provider=provider, names={"a": "Acme"})
    record_listed_projects(provider=provider, listed=[listed("a", "Acme 2")], now=NOW)

    assert payers(provider) == {}
    assert told.assignments == []


@pytest.mark.parametrize("company", [None, "Other"])
def test_rule_never_overrides_what_was_assigned_before_the_name(
    provider: Provider, acme: Company, company: str | None
) -> None:
    """Not even the decision for nobody."""
    make_rule(company=acme)
    projects_for_usage(provider=provider, names={"a": ""})
    assign_projects(projects=[Project.objects.get()], company=make_company(name=company) if company else None, now=NOW)

    projects_for_usage(provider=provider, names={"a": "Acme"})

    assert payers(provider) == {"Acme": company or "Unassigned"}


def test_rules_of_archived_companies_are_skipped(provider: Provider, acme: Company) -> None:
    """The next one that fits decides."""
    make_rule(company=make_company(archived_at=NOW))
    make_rule(company=acme)

    projects_for_usage(provider=provider, names={"a": "Acme"})

    assert payers(provider) == {"Acme": "Acme"}


def test_rule_of_one_provider_leaves_others_alone(provider: Provider, acme: Company) -> None:
    """Without a provider it is for all."""
    other = make_provider()
    make_rule(company=acme, provider=provider)

    projects_for_usage(provider=provider, names={"a": "Acme"})
    projects_for_usage(provider=other, names={"a": "Acme"})

    assert (payers(provider), payers(other)) == ({"Acme": "Acme"}, {})


def test_usage_without_a_key_fits_no_rule(provider: Provider, acme: Company) -> None:
    """Its sharing is a setting of the provider; the account's totals are nobody's either."""
    make_rule(kind="matches", pattern="*", company=acme)

    projects_for_usage(provider=provider, names={None: "web", Project.ACCOUNT_ID: "totals"})
    make_keyless(provider=make_provider())

    assert not Assignment.objects.exists()
    assert preview_rules(starts_on=None).outcomes == ()


def test_sync_without_new_keys_asks_for_no_rules(
    provider: Provider, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Every hour's sync goes through here: one query."""
    make_rule()
    projects_for_usage(provider=provider, names={"a": "Acme"})

    with django_assert_num_queries(1):
        projects_for_usage(provider=provider, names={"a": "Acme"})


def test_many_new_keys_take_as_many_queries_as_one(
    provider: Provider, acme: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """An initial sync may find hundreds."""
    make_rule(company=acme)
    names: dict[str | None, str] = {str(number): f"acme {number}" for number in range(50)}

    with django_assert_num_queries(_statements_for_one_new_key()):
        projects_for_usage(provider=provider, names=names)


def _statements_for_one_new_key() -> int:
    other = make_provider()
    with CaptureQueriesContext(connection) as queries:
        projects_for_usage(provider=other, names={"a": "acme"})
    return len(queries)


# --- Keys that there are ----------------------------------------------------------------------------------------------


def outcomes(starts_on: date | None = None) -> list[tuple[str, str, str]]:
    return [
        (outcome.project.name, outcome.payers, outcome.company.name)
        for outcome in preview_rules(starts_on=starts_on).outcomes
    ]


def test_preview_lists_what_would_change_and_nothing_else(provider: Provider, acme: Company) -> None:
    """From whom to whom; not what fits no rule, is so already, or was decided by hand."""
    make_rule(company=acme)
    other = make_company(name="Other")
    make_project(provider=provider, name="acme unassigned")
    assign_by_rule(make_project(provider=provider, name="acme other"), other)
    assign_by_rule(make_project(provider=provider, name="acme already"), acme)
    moved = make_project(provider=provider, name="acme moved")
    assign_by_rule(moved, other)
    assign_by_rule(moved, acme, MID_NOVEMBER)
    late = make_project(provider=provider, name="acme late")
    assign_by_rule(late, acme, MID_NOVEMBER)
    by_hand = make_project(provider=provider, name="acme by hand")
    assign_by_rule(by_hand, other)
    make_assignment(project=by_hand, company=None, starts_on=MID_NOVEMBER)
    make_assignment(project=make_project(provider=provider, name="acme agreed"), company=acme)
    make_project(provider=provider, name="globex")

    preview = preview_rules(starts_on=None)

    assert outcomes() == [
        ("acme late", "Unassigned, then Acme", "Acme"),
        ("acme moved", "Other, then Acme", "Acme"),
        ("acme other", "Other", "Acme"),
        ("acme unassigned", "Unassigned", "Acme"),
    ]
    assert preview.kept == 1
    assert outcomes(MID_NOVEMBER) == [("acme other", "Other", "Acme"), ("acme unassigned", "Unassigned", "Acme")]
    assert outcomes(date(2026, 11, 14))[:2] == [("acme late", "Unassigned", "Acme"), ("acme moved", "Other", "Acme")]


def test_own_label_is_what_rules_see(provider: Provider, acme: Company) -> None:
    """As people do."""
    make_rule(company=acme)
    make_project(provider=provider, name="acme", label="Ours")
    make_project(provider=provider, name="xyz", label="Acme")

    assert outcomes() == [("xyz", "Unassigned", "Acme")]


@pytest.mark.parametrize(
    ("starts_on", "expected"),
    [(None, {"acme": "Acme"}), (MID_NOVEMBER, {"acme": "Other | Acme | Later"})],
)
def test_applying_moves_history_or_starts_a_period(
    provider: Provider, acme: Company, starts_on: date | None, expected: dict[str, str]
) -> None:
    """As assigning by hand would, and it can be undone."""
    make_rule(company=acme)
    key = make_project(provider=provider, name="acme")
    assign_by_rule(key, make_company(name="Other"))
    assign_by_rule(key, make_company(name="Later"), date(2026, 12, 1))

    change = apply(starts_on)
    applied = payers(provider)
    undo_assignment(change=change, now=NOW)

    assert applied == expected
    assert payers(provider) == {"acme": "Other | Later"}


def test_applying_is_told_and_marked_as_by_rule(provider: Provider, acme: Company, told: Told) -> None:
    """One change, one signal, one entry of the audit log."""
    user = make_user()
    make_rule(company=acme)
    keys = [make_project(provider=provider, name=f"acme {number}") for number in range(3)]

    change = apply_rules(expected=preview_rules(starts_on=None).fingerprint, starts_on=None, now=NOW, made_by=user)

    assert change.summary == "3 keys assigned by rules."
    assert told.assignments == [{key.pk for key in keys}]
    assert [(act.action, act.target, act.actor) for act in told.acts] == [("rule.applied", change, user)]
    assert set(Assignment.objects.values_list("source", flat=True)) == {"rule"}
    assert outcomes() == []


def _new_key(provider: Provider, _rule: AssignmentRule) -> None:
    make_project(provider=provider, name="acme new")


def _assigned_by_hand(provider: Provider, _rule: AssignmentRule) -> None:
    make_assignment(project=Project.objects.get(provider=provider), company=None)


def _assigned_by_rule(provider: Provider, _rule: AssignmentRule) -> None:
    assign_by_rule(Project.objects.get(provider=provider), make_company())


def _other_company(_provider: Provider, rule: AssignmentRule) -> None:
    AssignmentRule.objects.filter(pk=rule.pk).update(company=make_company())


def _archived(_provider: Provider, rule: AssignmentRule) -> None:
    Company.objects.filter(pk=rule.company_id).update(archived_at=NOW)


@pytest.mark.parametrize("meanwhile", [_new_key, _assigned_by_hand, _assigned_by_rule, _other_company, _archived])
def test_only_what_was_previewed_is_applied(provider: Provider, acme: Company, meanwhile: Any) -> None:
    """Otherwise nothing is changed."""
    rule = make_rule(company=acme)
    make_project(provider=provider, name="acme")
    seen = preview_rules(starts_on=None).fingerprint
    meanwhile(provider, rule)
    before = payers(provider)

    with pytest.raises(OutcomeChangedError):
        apply_rules(expected=seen, starts_on=None, now=NOW)

    assert payers(provider) == before
    assert not AssignmentChange.objects.exists()


def test_preview_of_one_range_is_not_applied_to_another(provider: Provider, acme: Company) -> None:
    """The fingerprint holds from when on it applies."""
    make_rule(company=acme)
    make_project(provider=provider, name="acme")

    with pytest.raises(OutcomeChangedError):
        apply_rules(expected=preview_rules(starts_on=MID_NOVEMBER).fingerprint, starts_on=None, now=NOW)


def test_preview_takes_four_queries_whatever_the_number_of_keys(
    provider: Provider, acme: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Rules, keys, periods, shares, companies."""
    for number in range(5):
        make_rule(company=acme, pattern=f"x{number}")
    for number in range(30):
        assign_by_rule(make_project(provider=provider, name=f"x1 {number}"), make_company())

    with django_assert_num_queries(4):
        preview = preview_rules(starts_on=None)

    assert len(preview.outcomes) == 30

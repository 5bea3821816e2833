"""Rules: keeping them in order, assigning new keys by them, and – after a preview – the keys that there are.

A rule decides only where no person has: a key with any period made by hand is never touched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from core.audit import audit_event
from core.sums import TotalTooLargeError
from providers.matching import fits, shown_name
from providers.models import (
    NO_PERIODS,
    Assignment,
    AssignmentChange,
    AssignmentRule,
    Company,
    Period,
    Periods,
    Project,
    Provider,
    describe_shares,
)
from providers.services.assigning import since
from providers.services.periods import (
    NAMED_AT_MOST,
    WHOLE,
    as_entry,
    change_periods,
    lock_providers,
    start_periods,
)
from providers.signals import notify_assignments_changed
from providers.wording import chosen_keys

# Each is tried on each new key.
RULE_LIMIT = 200

_DECIDABLE = (Project.Kind.KEY, Project.Kind.AGENT)


class OutcomeChangedError(Exception):
    """What the rules would change is no longer what was shown."""


@dataclass(frozen=True)
class Outcome:
    """A key that the rules would give to another payer than it has."""

    project: Project
    payers: str  # who pays now, as describe_shares() says it; several periods in their order
    rule: AssignmentRule
    is_paid: bool  # whether a company pays for any of what would move

    @property
    def company(self) -> Company:
        return self.rule.company


@dataclass(frozen=True)
class Preview:
    """What applying the rules would do."""

    outcomes: tuple[Outcome, ...]
    kept: int  # keys with another payer than their rule's, because they were assigned by hand
    fingerprint: str  # of all that would change: who pays now, and who would


# --- Keeping them -----------------------------------------------------------------------------------------------------


@transaction.atomic
def save_rule(*, rule: AssignmentRule, made_by: User | None = None) -> None:
    """Store a rule that has been made – it becomes the last – or changed. Raises ValidationError where it can't be."""
    rules = _locked_rules()
    stored = next((other for other in rules if other.pk == rule.pk), None)
    if stored is None:
        if rule.pk is not None:
            raise ValidationError("This rule has been deleted meanwhile.")
        if len(rules) >= RULE_LIMIT:
            raise ValidationError(f"There can be at most {RULE_LIMIT} rules.")
        rule.position = rules[-1].position + 1 if rules else 1
    else:
        rule.position = stored.position
    rule.save()
    old, new = (_facts(stored) if stored else {}), _facts(rule)
    if old != new:
        audit_event("rule.changed" if stored else "rule.created", rule, actor=made_by, old=old, new=new)


@transaction.atomic
def move_rule(*, rule: AssignmentRule, up: bool, made_by: User | None = None) -> bool:
    """Let it change places with the one before (or after) it; False where there is none."""
    rules = _locked_rules()
    old = next((index for index, other in enumerate(rules) if other.pk == rule.pk), None)
    new = None if old is None else old + (-1 if up else 1)
    if old is None or new is None or not 0 <= new < len(rules):
        return False
    rules[old], rules[new] = rules[new], rules[old]
    for position, other in enumerate(rules, start=1):
        other.position = position
    AssignmentRule.objects.bulk_update(rules, ["position"])
    audit_event("rule.changed", rule, actor=made_by, old={"position": old + 1}, new={"position": new + 1})
    return True


@transaction.atomic
def delete_rule(*, rule: AssignmentRule, made_by: User | None = None) -> None:
    """Keys that it has assigned stay as they are."""
    audit_event("rule.deleted", rule, actor=made_by, old=_facts(rule))
    rule.delete()


def _locked_rules() -> list[AssignmentRule]:
    """Every rule in order, so that two people who move them do so one after the other."""
    locked = {rule.pk: rule for rule in AssignmentRule.objects.select_for_update(no_key=True).order_by("pk")}
    return sorted(locked.values(), key=lambda rule: (rule.position, rule.pk))


def _facts(rule: AssignmentRule) -> dict[str, str]:
    return {
        "kind": rule.kind,
        "pattern": rule.pattern,
        "company": rule.company.name,
        "provider": rule.provider.name if rule.provider else "",
    }


# --- New keys ---------------------------------------------------------------------------------------------------------


def assign_new_projects(*, provider: Provider, projects: Iterable[Project]) -> None:
    """Give keys and agents that have just become known, or got their first name or a tag, to the company of the first
    rule that matches.

    From the beginning, and only keys that were never assigned. For the sync's transaction, which has locked the
    provider and its projects.
    """
    candidates = [
        project for project in projects if project.kind in _DECIDABLE and (shown_name(project) or project.tags)
    ]
    if not candidates:
        return
    rules = [rule for rule in AssignmentRule.objects.in_force() if rule.provider_id in (None, provider.pk)]
    if not rules:
        return
    assigned = set(Assignment.objects.filter(project__in=candidates).values_list("project_id", flat=True))
    decided = {
        project: rule.company
        for project in candidates
        if project.pk not in assigned and (rule := first_match(project, rules)) is not None
    }
    if not decided:
        return
    start_periods(
        {project: {company: WHOLE} for project, company in decided.items()},
        starts_on=None,
        source=Assignment.Source.RULE,
    )
    notify_assignments_changed([project.pk for project in decided])
    named = [f"{project.display_name} → {company.name}" for project, company in decided.items()]
    audit_event("rule.applied", provider, new={"number": len(decided), "keys": named[:NAMED_AT_MOST]})


def first_match(project: Project, rules: Sequence[AssignmentRule]) -> AssignmentRule | None:
    """The rule that decides about ``project``; ``rules`` are in order."""
    return next(
        (rule for rule in rules if rule.provider_id in (None, project.provider_id) and fits(project, rule)), None
    )


# --- Keys that there are ----------------------------------------------------------------------------------------------


def preview_rules(*, starts_on: date | None) -> Preview:
    """What apply_rules() would change: in all history, or from ``starts_on`` on. Four queries."""
    rules = list(AssignmentRule.objects.in_force())
    if not rules:
        return Preview((), 0, _fingerprint([], {}, starts_on))
    keys = Project.objects.keys_and_agents().select_related("provider")
    stored = Assignment.objects.filter(project__in=Project.objects.keys_and_agents()).by_project()
    names = dict(Company.objects.values_list("pk", "name")) if stored else {}
    outcomes: list[Outcome] = []
    kept = 0
    for project in keys:
        rule = first_match(project, rules)
        if rule is None:
            continue
        periods = stored.get(project.pk, NO_PERIODS)
        concerned = _concerned(periods, starts_on)
        if all(period is not None and period.payers == ((rule.company_id, WHOLE),) for period in concerned):
            continue
        if any(period.source == Assignment.Source.HAND for period in periods.in_order):
            kept += 1
            continue
        payers = [period.payers if period else () for period in concerned]
        described = [describe_shares((names[payer], percent) for payer, percent in shares) for shares in payers]
        outcomes.append(Outcome(project, ", then ".join(described), rule, any(payers)))
    outcomes.sort(
        key=lambda outcome: (outcome.project.provider.name.casefold(), outcome.project.display_name.casefold())
    )
    return Preview(tuple(outcomes), kept, _fingerprint(outcomes, stored, starts_on))


@transaction.atomic
def apply_rules(
    *, expected: str, starts_on: date | None, now: datetime, made_by: User | None = None
) -> AssignmentChange:
    """Assign the keys that there are by the rules, exactly as a preview with the fingerprint ``expected`` showed it.

    Raises OutcomeChangedError when by now something else would come of it, or nothing, and TotalTooLargeError; then
    nothing is changed.
    """
    # Whoever assigns anything, or stores a new key, locks its provider first: from here on the outcome can't change.
    lock_providers(Provider.objects.values_list("pk", flat=True))
    preview = preview_rules(starts_on=starts_on)
    if preview.fingerprint != expected or not preview.outcomes:
        raise OutcomeChangedError
    payers = {outcome.project: {outcome.company: WHOLE} for outcome in preview.outcomes}
    projects = list(payers)
    try:
        return change_periods(
            projects=projects,
            companies=[outcome.company for outcome in preview.outcomes],
            write=lambda: start_periods(payers, starts_on=starts_on, source=Assignment.Source.RULE),
            starts_on=starts_on,
            summary=f"{chosen_keys(projects)} assigned by rules{since(starts_on)}.",
            now=now,
            made_by=made_by,
            action="rule.applied",
        )
    except TotalTooLargeError:
        raise
    except ValidationError:  # a company was archived in this very moment
        raise OutcomeChangedError from None


def _concerned(periods: Periods, starts_on: date | None) -> list[Period | None]:
    """What applying would replace or end: all, or the period in force on ``starts_on``; None: before any has begun."""
    if starts_on is not None:
        return [periods.on(starts_on)]
    begins_late = not periods.in_order or not periods.in_order[0].is_from_the_beginning
    return [*([None] if begins_late else []), *periods.in_order]


def _fingerprint(outcomes: Iterable[Outcome], stored: Mapping[int, Periods], starts_on: date | None) -> str:
    document = [
        starts_on.isoformat() if starts_on else None,
        sorted(
            [
                outcome.project.pk,
                outcome.company.pk,
                [as_entry(period) for period in stored.get(outcome.project.pk, NO_PERIODS).in_order],
            ]
            for outcome in outcomes
        ),
    ]
    return hashlib.sha256(json.dumps(document).encode()).hexdigest()

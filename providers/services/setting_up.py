"""Setting many companies up at once from what the names of keys suggest: companies, their keys, and rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from core.wording import count
from providers.models import Assignment, AssignmentChange, AssignmentRule, Company, Project
from providers.services.companies import get_or_create_company
from providers.services.periods import WHOLE, Shares, change_periods, lock_providers, start_periods
from providers.services.rules import save_rule
from providers.wording import chosen_keys

KEYS_CHANGED = "Some of these keys have been assigned meanwhile. Look at the list again."


@dataclass(frozen=True)
class ChosenClient:
    """A company, new or not, what is for it, and how the names of its new keys will begin (empty: no rule)."""

    company: str
    projects: tuple[Project, ...]
    prefix: str = ""


@dataclass(frozen=True)
class SetUp:
    change: AssignmentChange  # of all keys, which can be undone
    made: int  # companies
    rules: int

    @property
    def summary(self) -> str:
        return (
            f"{self.change.summary.removesuffix('.')}; {_companies(self.made)} and {count(self.rules, 'rule')} added."
        )


@transaction.atomic
def set_up_companies(*, clients: Sequence[ChosenClient], now: datetime, made_by: User | None = None) -> SetUp:
    """Make the companies that there are not, give each all history of its keys, and add the rules.

    Only keys without any period are given. Raises ValidationError where a name fits no company, or where a key was
    assigned meanwhile; then nothing is changed.
    """
    projects = [project for client in clients for project in client.projects]
    lock_providers({project.provider_id for project in projects})
    if Assignment.objects.filter(project__in=projects).exists():
        raise ValidationError(KEYS_CHANGED)
    payers: dict[Project, Shares] = {}
    companies: list[Company] = []
    made = rules = 0
    for client in clients:
        company, is_new = get_or_create_company(name=client.company, made_by=made_by)
        made += is_new
        companies.append(company)
        payers |= {project: {company: WHOLE} for project in client.projects}
    change = change_periods(
        projects=projects,
        companies=companies,
        write=lambda: start_periods(payers, starts_on=None),
        starts_on=None,
        summary=f"{chosen_keys(projects)} assigned to {_companies(len(set(companies)))}.",
        now=now,
        made_by=made_by,
    )
    for client, company in zip(clients, companies, strict=True):
        rules += _add_rule(client.prefix, company, made_by)
    return SetUp(change, made, rules)


def _add_rule(prefix: str, company: Company, made_by: User | None) -> bool:
    kind = AssignmentRule.Kind.STARTS_WITH
    known = AssignmentRule.objects.filter(kind=kind, pattern__iexact=prefix, company=company)
    if not prefix or known.exists():
        return False
    save_rule(rule=AssignmentRule(kind=kind, pattern=prefix, company=company), made_by=made_by)
    return True


def _companies(number: int) -> str:
    return f"{number:,} {'company' if number == 1 else 'companies'}"

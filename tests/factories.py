"""Rows for tests: typed, deterministic, with everything that a test does not care about filled in."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from accounts.models import Membership, Role
from alerts.models import Alert, Severity, SpendEpisode
from core.secrets import ApiKey
from costs.models import DailyUsage, ReadDay, Restatement
from costs.usage import sums
from costs.usage.attribution import attribute
from providers.models import BEGINNING, Assignment, AssignmentRule, AssignmentShare, Company, Project, Provider, SyncRun
from providers.registry import words_of
from providers.signals import notify_assignments_changed

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
TODAY = NOW.date()
API_KEY = "sk_" + "1f2e3d4c" * 6

_numbers = count(1)
# The projects of which usage was made that is not derived yet, and statements that make rows and read nothing.
_underived: set[int] = set()
_MAKES = ('INSERT INTO "costs_dailyusage"', 'INSERT INTO "costs_readday"')
_TELLS = re.compile(r'costs_|^INSERT INTO "providers_assignment|^(?:UPDATE|DELETE FROM) "providers_')


def make_user(*, role: Role = Role.VIEWER, companies: Sequence[Company] = (), **overrides: Any) -> User:
    """Somebody who may sign in; ``companies`` are what a Company viewer sees."""
    is_admin = role == Role.ADMIN
    fields: dict[str, Any] = {
        "username": f"user{next(_numbers)}",
        "password": "a-long-password",
        "is_staff": is_admin,
        "is_superuser": is_admin,
    } | overrides
    user = User.objects.create_user(**fields)
    if user.membership.role != role:
        Membership.objects.filter(user=user).update(role=role)
        user.membership.role = role
    if companies:
        user.membership.companies.set(companies)
    return user


def make_provider(*, api_key: str = API_KEY, **overrides: Any) -> Provider:
    fields: dict[str, Any] = {
        "type": "elevenlabs",
        "name": f"Workspace {next(_numbers)}",
        "region": "global",
        "history_from": TODAY - timedelta(days=364),
        "next_due_at": NOW + timedelta(minutes=30),
        "last_synced_at": NOW - timedelta(minutes=12),
        "currency": "usd",
    } | overrides
    provider = Provider(**fields)
    provider.api_key = ApiKey(api_key)
    provider.save()
    return provider


def make_project(*, provider: Provider | None = None, **overrides: Any) -> Project:
    number = next(_numbers)
    fields: dict[str, Any] = {"external_id": f"{number:064x}", "name": f"Key {number}"} | overrides
    return Project.objects.create(provider=provider or make_provider(), **fields)


def make_keyless(*, provider: Provider) -> Project:
    name = words_of(provider.type).keyless_name
    return make_project(provider=provider, external_id=Project.KEYLESS_ID, kind=Project.Kind.KEYLESS, name=name)


def make_company(**overrides: Any) -> Company:
    fields: dict[str, Any] = {"name": f"Company {next(_numbers)}"} | overrides
    return Company.objects.create(**fields)


def make_assignment(*, project: Project, company: Company | None, starts_on: date = BEGINNING) -> Assignment:
    assignment = Assignment.objects.create(project=project, starts_on=starts_on)
    if company is not None:
        AssignmentShare.objects.create(assignment=assignment, company=company)
    notify_assignments_changed([project.pk])
    return assignment


def make_split(
    *, project: Project, shares: Mapping[Company, Decimal | int | str], starts_on: date = BEGINNING
) -> Assignment:
    """A period that several companies pay, by percent."""
    assignment = Assignment.objects.create(project=project, starts_on=starts_on)
    for company, percent in shares.items():
        AssignmentShare.objects.create(assignment=assignment, company=company, percent=Decimal(percent))
    notify_assignments_changed([project.pk])
    return assignment


def make_rule(*, company: Company | None = None, **overrides: Any) -> AssignmentRule:
    """The last rule in order: keys whose name starts with "acme"."""
    fields: dict[str, Any] = {
        "position": AssignmentRule.objects.count() + 1,
        "kind": AssignmentRule.Kind.STARTS_WITH,
        "pattern": "acme",
    } | overrides
    return AssignmentRule.objects.create(company=company or make_company(), **fields)


def make_usage(*, project: Project | None = None, **overrides: Any) -> DailyUsage:
    fields: dict[str, Any] = {
        "day": TODAY - timedelta(days=1),
        "model": "eleven_multilingual_v2",
        "credits": Decimal(1000),
        "minutes": Decimal("1.5"),
        "requests": 10,
        "cost": Decimal("0.30"),
        "updated_at": NOW,
    } | overrides
    fields.setdefault("currency", "" if fields["cost"] is None else "usd")
    usage = DailyUsage.objects.create(project=project or make_project(), **fields)
    if any(block._from_testcase for block in connection.atomic_blocks):  # type: ignore[attr-defined]  # Django's own
        # Nobody but this test's own statements can look.
        _underived.add(usage.project_id)
        if _derive_first not in connection.execute_wrappers:
            connection.execute_wrappers.insert(0, _derive_first)
    else:
        derive([usage.project_id])
    return usage


def _derive_first(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
    """Before the first statement that might tell, or change who pays: one by one it takes most of the time of many.

    The statements of deriving are not those of the test: nothing counts them.
    """
    if _underived and _TELLS.search(sql) and not sql.startswith(_MAKES):
        wrappers, is_logged = connection.execute_wrappers, connection.force_debug_cursor
        connection.execute_wrappers, connection.force_debug_cursor = [], False
        try:
            derive(_underived)
        finally:
            connection.execute_wrappers, connection.force_debug_cursor = wrappers, is_logged
    return execute(sql, *arguments)


def forget_underived() -> None:
    """Of a test that has ended without looking."""
    _underived.clear()


def derive(project_ids: Collection[int]) -> None:
    """What the write path derives from rows that were stored without it."""
    project_ids = list(project_ids)
    _underived.difference_update(project_ids)
    attribute(project_ids)
    for provider in Provider.objects.filter(projects__in=project_ids).distinct():
        stored = DailyUsage.objects.filter(project__in=project_ids, project__provider=provider)
        days = set(stored.order_by().values_list("day", flat=True).distinct())
        own = set(provider.projects.filter(pk__in=project_ids).values_list("pk", flat=True))
        sums.refresh(provider_id=provider.pk, days=days, projects=own)


def make_read_days(*, provider: Provider, first: date, last: date, read_at: datetime = NOW) -> list[ReadDay]:
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    return ReadDay.objects.bulk_create([ReadDay(provider=provider, day=day, read_at=read_at) for day in days])


def make_run(*, provider: Provider | None = None, **overrides: Any) -> SyncRun:
    """A queued run; give ``outcome`` and ``finished_at`` for an ended one."""
    fields: dict[str, Any] = {"trigger": SyncRun.Trigger.MANUAL, "queued_at": NOW} | overrides
    return SyncRun.objects.create(provider=provider or make_provider(), **fields)


def make_restatement(*, project: Project, **overrides: Any) -> Restatement:
    fields: dict[str, Any] = {
        "day": TODAY - timedelta(days=20),
        "model": "eleven_v3",
        "restated_at": NOW,
        "credits_before": Decimal(1000),
        "credits_after": Decimal(1250),
        "cost_before": Decimal("0.3000000001"),
        "cost_after": Decimal("0.375"),
        "currency_before": "usd",
        "currency_after": "usd",
    } | overrides
    return Restatement.objects.create(project=project, **fields)


def make_alert(**overrides: Any) -> Alert:
    """Of a company with words for its own viewers, of a provider or of everything."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        "key": f"alert:{number}",
        "kind": "budget.threshold_passed",
        "severity": Severity.WARNING,
        "title": "Globex: 80 % of the budget is spent",
        "text": "$80.00 of Hidden key is spent.",
        "path": "/hidden/",
        "client_title": "80 % of the budget is spent",
        "client_text": "80.0 % of the budget is spent.",
        "client_path": "/companies/",
        "facts": {"spent": "80"},
        "raised_at": NOW - timedelta(hours=number % 20),
    } | overrides
    return Alert.objects.create(**fields)


def make_episode(**overrides: Any) -> SpendEpisode:
    """Unusual spending of yesterday: $60 where $20 is usual; give ``company``, ``provider`` or ``project``."""
    yesterday = TODAY - timedelta(days=1)
    fields: dict[str, Any] = {
        "currency": "usd",
        "first_day": yesterday,
        "last_day": yesterday,
        "level": 1,
        "actual": 60,
        "expected": 20,
        "ratio": 3,
        "expected_by_day": {yesterday.isoformat(): "20"},
        "opened_at": NOW,
    } | overrides
    return SpendEpisode.objects.create(**fields)

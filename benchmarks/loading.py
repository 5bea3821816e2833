"""Filling the product's tables fast, as its write path would have left them – and proof that they are left so.

Stored rows are copied in, with who pays for each; what is derived from them is made by one statement per table. A
sample is then written through the write path, and what it derives is compared row by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any

from django.db import connection, transaction

from benchmarks.world import Row, Size, as_usage, days_until_today, rows_of
from core.days import DateRange
from core.secrets import ApiKey
from costs.models import FIGURES, AttributedUsage, CompanySum, DailyUsage, ModelSum, Span
from costs.usage import sums
from costs.usage.coverage import record_reading
from costs.usage.totals import add_up
from costs.usage.writing import write_usage
from providers.models import Assignment, AssignmentShare, Company, Project, Provider

SAMPLE_DAYS = 2

_USAGE = DailyUsage._meta.db_table
_SAID = ("currency", "estimated", "allocated", "split")
_COLUMNS = ("project_id", "day", "model", *FIGURES, *_SAID, "company_id", "updated_at")


@dataclass(frozen=True)
class Workspace:
    """A connected workspace and its keys, in order."""

    provider: Provider
    projects: Sequence[Project]


@dataclass(frozen=True)
class World:
    size: Size
    workspaces: Sequence[Workspace]


def load(size: Size, name: str) -> World:
    """Workspaces and companies of ``size`` with all their usage; ``name`` begins theirs."""
    companies = Company.objects.bulk_create([Company(name=f"{name} company {n:03}") for n in range(size.companies)])
    days = days_until_today(size.days)
    workspaces = [
        _workspace(f"{name} workspace {number:02}", size, number, companies) for number in range(size.workspaces)
    ]
    world = World(size, workspaces)
    payers = [_payers(workspace) for workspace in workspaces]  # now: nothing can be asked during the copying
    with _without_indexes(_USAGE):
        _copy_usage(
            (row, payer)
            for number, workspace in enumerate(workspaces)
            for key, (project, payer) in enumerate(zip(workspace.projects, payers[number], strict=True))
            for row in rows_of(project.pk, number * size.keys + key, size.models, days)
        )
    refresh_statistics()
    for workspace in workspaces:
        with transaction.atomic():
            sums.rebuild(workspace.provider.pk)
    add_up()
    _finish(world)
    return world


def verify(world: World) -> None:
    """Write some days of the first workspace through the write path, as another one, and compare what both hold.

    Raises AssertionError where they differ: what is measured then would not be what the product leaves behind.
    """
    (workspace, *_others), size = world.workspaces, world.size
    days = days_until_today(size.days)[-SAMPLE_DAYS:]
    with transaction.atomic():
        twin = _connect("Sample")
        projects = _keys(twin, len(workspace.projects))
        _assign(zip(projects, _payers(workspace), strict=True))
        rows = [
            as_usage(row) for key, project in enumerate(projects) for row in rows_of(project.pk, key, size.models, days)
        ]
        write_usage(provider=twin, first=days[0], last=days[-1], rows=rows, read_at=datetime.now(UTC))
        for what, loaded, written in (
            ("attributed usage", _attributed(workspace.provider, days), _attributed(twin, days)),
            ("sums", _sums(workspace.provider, days), _sums(twin, days)),
        ):
            if not loaded or loaded != written:
                raise AssertionError(f"The {what} that were loaded are not those that the write path makes.")
        transaction.set_rollback(True)


def connect(name: str, keys: int, companies: Iterable[Company] = ()) -> Workspace:
    """A workspace without usage; its keys are assigned to ``companies`` in turn."""
    provider = _connect(name)
    projects = _keys(provider, keys)
    payers = list(companies)
    if payers:
        _assign([(project, payers[number % len(payers)]) for number, project in enumerate(projects)])
    return Workspace(provider, projects)


def refresh_statistics() -> None:
    """As the database's own housekeeping would have done by the time that anybody looks."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _workspace(name: str, size: Size, number: int, companies: Sequence[Company]) -> Workspace:
    provider = _connect(name)
    projects = _keys(provider, size.keys)
    payers = [size.payer(number, key) for key in range(size.keys)]
    _assign(
        [
            (project, None if payer is None else companies[payer])
            for project, payer in zip(projects, payers, strict=True)
        ]
    )
    return Workspace(provider, projects)


def _connect(name: str) -> Provider:
    now = datetime.now(UTC)
    provider = Provider(
        type="elevenlabs",
        name=name,
        region="global",
        history_from=now.date(),
        last_synced_at=now,
        next_due_at=now + timedelta(hours=1),
        currency="usd",
    )
    provider.api_key = ApiKey("sk_" + sha256(name.encode()).hexdigest()[:48])
    provider.save()
    return provider


def _keys(provider: Provider, count: int) -> list[Project]:
    return Project.objects.bulk_create(
        [Project(provider=provider, external_id=f"{n:064x}", name=f"Key {n}") for n in range(count)]
    )


def _assign(payers: Iterable[tuple[Project, Company | None]]) -> None:
    """From the beginning; None is a period that nobody pays."""
    paid = [(Assignment(project=project), company) for project, company in payers]
    Assignment.objects.bulk_create([assignment for assignment, _company in paid])
    AssignmentShare.objects.bulk_create(
        [AssignmentShare(assignment=assignment, company=company) for assignment, company in paid if company]
    )


def _copy_usage(rows: Iterable[tuple[Row, Company | None]]) -> None:
    """Rows with who pays for each."""
    now = datetime.now(UTC)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {_USAGE} ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
                for (project, day, model, *figures, currency), payer in rows:
                    cells = "\t".join("\\N" if figure is None else str(figure) for figure in figures)
                    company = payer.pk if payer else "\\N"
                    copy.write(f"{project}\t{day}\t{model}\t{cells}\t{currency}\tf\tf\tf\t{company}\t{now}\n")
        else:
            marks = ", ".join(["%s"] * len(_COLUMNS))
            at = connection.ops.adapt_datetimefield_value(now)
            values = (
                (row[0], row[1].isoformat(), *row[2:], False, False, False, payer.pk if payer else None, at)
                for row, payer in rows
            )
            with transaction.atomic():
                while batch := list(islice(values, 10_000)):
                    cursor.executemany(f"INSERT INTO {_USAGE} ({', '.join(_COLUMNS)}) VALUES ({marks})", batch)


def _finish(world: World) -> None:
    """Days as read – all but the last week long after they had settled – and the keys' days of use."""
    now = datetime.now(UTC)
    days = days_until_today(world.size.days)
    for workspace in world.workspaces:
        record_reading(workspace.provider, DateRange(days[0], days[-1]), now)
        Project.objects.for_provider(workspace.provider).update(first_used_on=days[0], last_used_on=days[-1])
        Provider.objects.filter(pk=workspace.provider.pk).update(history_from=days[0])


@contextmanager
def _without_indexes(*tables: str) -> Iterator[None]:
    """Drop what would slow the loading down, and make it again as it was."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('p', 'u', 'f') ORDER BY contype DESC
            """,
            (list(tables),),
        )
        constraints = cursor.fetchall()
        for table, name, _definition in sorted(constraints, key=lambda one: one[2].startswith("PRIMARY")):
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)", (list(tables),))
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for table, name, definition in sorted(constraints, key=lambda one: not one[2].startswith("PRIMARY")):
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        for _name, definition in indexes:
            cursor.execute(definition)


def _payers(workspace: Workspace) -> list[Company | None]:
    """Who pays for each of the workspace's keys."""
    shares = AssignmentShare.objects.filter(assignment__project__provider=workspace.provider)
    paid = {share.assignment.project_id: share.company for share in shares.select_related("assignment", "company")}
    return [paid.get(project.pk) for project in workspace.projects]


def _attributed(provider: Provider, days: Sequence[Any]) -> list[tuple[Any, ...]]:
    fields = ("project__external_id", "day", "model", "company", *FIGURES, "currency", "estimated")
    rows = AttributedUsage.objects.for_provider(provider).between(days[0], days[-1])
    return list(rows.order_by("project__external_id", "day", "model").values_list(*fields))


def _sums(provider: Provider, days: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Of the days alone: the weeks and months are those of more days."""
    found: list[tuple[Any, ...]] = []
    for model in (CompanySum, ModelSum):
        fields = [field.name for field in model._meta.concrete_fields if field.name not in {"id", "provider"}]
        rows = model.objects.of_span(Span.DAY).filter(provider=provider, day__range=(days[0], days[-1]))
        found += rows.order_by().values_list(*fields)
    return sorted(found, key=repr)

"""Attributed usage as plain rows, day by day, and the names of what it speaks of, each read once.

A file of a million rows speaks of a few thousand keys: a model instance for each row is most of the work of writing it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

from django.db.models import BigIntegerField, ExpressionWrapper, F

from core.csv_files import plain_units
from costs.models import AttributedUsageQuerySet, DailyUsage
from providers.models import Company, Project, Provider

Key = TypeVar("Key")


class Row(NamedTuple):
    """The columns of an AttributedUsage; amounts in whole units of the last digit that is stored.

    Made into Decimals they would cost more than all the rest of a line.
    """

    day: date
    project_id: int
    company_id: int | None
    model: str
    credits: int | None
    minutes: int | None
    requests: int | None
    cost: int | None
    currency: str
    estimated: bool
    allocated: bool

    @property
    def credits_text(self) -> str:
        """Exact, without padding; empty where it is unknown – as the others."""
        return plain_units(self.credits, DailyUsage.CREDITS_SCALE)

    @property
    def minutes_text(self) -> str:
        return plain_units(self.minutes, DailyUsage.MINUTES_SCALE)

    @property
    def requests_text(self) -> str:
        return "" if self.requests is None else str(self.requests)

    @property
    def cost_text(self) -> str:
        return plain_units(self.cost, DailyUsage.COST_SCALE)


_AMOUNTS = ("credits", "minutes", "cost")
_AS_STORED = {f"{name}_units": ExpressionWrapper(F(name), output_field=BigIntegerField()) for name in _AMOUNTS}
_FIELDS = tuple(f"{name}_units" if name in _AMOUNTS else name for name in Row._fields)


def rows_by_day(usage: AttributedUsageQuerySet) -> Iterator[list[Row]]:
    """The rows of each day in turn; no more than one day's are held."""
    found = usage.order_by("day").annotate(**_AS_STORED).values_list(*_FIELDS).iterator(chunk_size=2000)
    for _day, of_day in groupby(map(Row._make, found), key=attrgetter("day")):
        yield list(of_day)


class Names(Generic[Key]):
    """The keys, workspaces and companies of the rows shown to it; of a key what ``describe`` makes of it.

    What is deleted after its rows were read is not there any more: its rows are left out.
    """

    def __init__(self, describe: Callable[[Project, Provider], Key]) -> None:
        self._describe = describe
        self._providers: dict[int, Provider] = {}
        self._projects: dict[int, Key] = {}
        self._companies: dict[int, str] = {}

    def known(self, rows: Iterable[Row]) -> Iterator[tuple[Row, Key, str]]:
        """Each row with its key and its company's name, empty where it has none; queries only for what is new."""
        rows = list(rows)
        self._learn({row.project_id for row in rows} - self._projects.keys())
        new = {row.company_id for row in rows if row.company_id is not None} - self._companies.keys()
        if new:
            self._companies.update(Company.objects.filter(pk__in=new).values_list("pk", "name"))
        for row in rows:
            key = self._projects.get(row.project_id)
            company = "" if row.company_id is None else self._companies.get(row.company_id)
            if key is not None and company is not None:
                yield row, key, company

    def _learn(self, project_ids: set[int]) -> None:
        if not project_ids:
            return
        projects = Project.objects.filter(pk__in=project_ids).only(
            "provider_id", "kind", "external_id", "name", "label", "hint"
        )
        missing = {project.provider_id for project in projects} - self._providers.keys()
        if missing:
            self._providers.update(Provider.objects.in_bulk(missing))
        for project in projects:
            if provider := self._providers.get(project.provider_id):
                self._projects[project.pk] = self._describe(project, provider)

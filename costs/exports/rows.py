"""Attributed usage as plain rows, day by day, and the names of what it speaks of, each read once.

A file of a million rows speaks of a few thousand keys: a model instance for each row is most of the work of writing it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Generic, Protocol, TypeVar

from django.db.models import ExpressionWrapper, F, Field

from costs.models import AttributedUsageQuerySet
from providers.models import Company, Project, Provider


class Ordered(Protocol):
    """What a file says of a key; ``order`` is where its rows stand among those of a day."""

    @property
    def order(self) -> tuple[str, str]: ...


Key = TypeVar("Key", bound=Ordered)


# The columns of an AttributedUsage: day, project id, company id, model, credits, minutes, requests, cost, currency,
# estimated, allocated. Amounts are in whole units of the last digit that is stored: made into Decimals they would cost
# more than all the rest of a line, and rows with names a tenth of it.
Row = tuple[date, int, int | None, str, int | None, int | None, int | None, int | None, str, bool, bool]

_COLUMNS = (
    "day",
    "project_id",
    "company_id",
    "model",
    "credits",
    "minutes",
    "requests",
    "cost",
    "currency",
    "estimated",
    "allocated",
)

# A field that is none in particular: what the database gives is taken as it is.
_AMOUNTS = ("credits", "minutes", "cost")
_AS_STORED = {f"{name}_units": ExpressionWrapper(F(name), output_field=Field()) for name in _AMOUNTS}
# At a time: with each the database and this process wait for one another.
_FETCHED = 5_000
_FIELDS = tuple(f"{name}_units" if name in _AMOUNTS else name for name in _COLUMNS)


def rows_by_day(usage: AttributedUsageQuerySet) -> Iterator[list[Row]]:
    """The rows of each day in turn; no more than one day's are held."""
    found = usage.order_by("day").annotate(**_AS_STORED).values_list(*_FIELDS).iterator(chunk_size=_FETCHED)
    for _day, of_day in groupby(found, key=itemgetter(0)):
        yield list(of_day)


_BY_MODEL_AND_COMPANY = itemgetter(0, 1)


class Names(Generic[Key]):
    """The keys, workspaces and companies of the rows shown to it; of a key what ``describe`` makes of it.

    What is deleted after its rows were read is not there any more: its rows are left out.
    """

    def __init__(self, describe: Callable[[Project, Provider], Key]) -> None:
        self._describe = describe
        self._providers: dict[int, Provider] = {}
        self._projects: dict[int, Key] = {}
        self._companies: dict[int | None, str] = {None: ""}

    def in_order(self, rows: Iterable[Row]) -> Iterator[tuple[Key, list[tuple[str, str, Row]]]]:
        """The keys of ``rows`` in their order, each with its rows: model, company (empty where it has none), row.

        These are in order of model and company. Queries only for what is new.
        """
        by_project: dict[int, list[Row]] = defaultdict(list)
        paying: set[int] = set()
        for row in rows:
            by_project[row[1]].append(row)
            if row[2] is not None:
                paying.add(row[2])
        self._learn(by_project.keys() - self._projects.keys())
        new = paying - self._companies.keys()
        if new:
            self._companies.update(Company.objects.filter(pk__in=new).values_list("pk", "name"))
        known = [(self._projects[pk], found) for pk, found in by_project.items() if pk in self._projects]
        for key, found in sorted(known, key=lambda one: one[0].order):
            named = [(row[3], company, row) for row in found if (company := self._companies.get(row[2])) is not None]
            yield key, sorted(named, key=_BY_MODEL_AND_COMPANY)

    def _learn(self, project_ids: Collection[int]) -> None:
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

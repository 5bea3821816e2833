"""What moved spend against the period before: the largest movements, each with what moved most of it.

Spend is taken apart by company, API key and model, on the days that are compared. Of the part that moved most of a
movement it is found out why: a key or a model that came or went, how much was used, or what it cost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cached_property
from itertools import islice
from typing import Any, Final

from django.db.models import Q

from core.months import first_of
from costs.reports.comparison import Change, Comparison
from costs.reports.selection import Usage, divide
from costs.reports.totals import FoundSums, Totals, found_in_parts
from providers.models import AssignmentShare, Company, Project

LARGEST: Final = 5
# What is less than a cent shows as no movement.
_LEAST: Final = Decimal("0.005")
# What a price can be of, the first that both sides tell.
_QUANTITIES: Final = ("credits", "minutes", "requests")


class Cause(Enum):
    KEY_CAME = "key came"  # nobody used it before
    KEY_WENT = "key went"  # nobody uses it any more
    KEY_TAKEN = "key taken"  # others paid for it before
    KEY_GIVEN = "key given"  # others pay for it now
    MODEL_CAME = "model came"
    MODEL_WENT = "model went"
    QUANTITY = "quantity"
    PRICE = "price"
    COST = "cost"  # no quantity is reported


@dataclass(frozen=True)
class Part:
    """Whose usage, by what key and of what model; the key is None where nothing of keys is said."""

    company: int | None
    project: int | None
    model: str


@dataclass(frozen=True)
class Movement:
    subject: Any
    change: Change
    part: Part  # that moved most of it
    part_change: Change
    cause: Cause
    figure: str = ""  # that the quantity is of: "credits", "minutes" or "requests"
    others: frozenset[int | None] = frozenset()  # the companies that a key came from or went to

    def amount(self, currency: str) -> Decimal:
        return moved(self.change, currency)

    def quantity(self, side: Totals) -> Decimal:
        """Of one side of ``part_change``, where ``figure`` names one."""
        return Decimal(getattr(side, self.figure))


def moved(change: Change | PartChange, currency: str) -> Decimal:
    return change.now.cost_in(currency) - change.before.cost_in(currency)


@dataclass(frozen=True)
class PartChange:
    """How a part changed. There are thousands, of which few are looked at: of these alone all sums are made."""

    now: FoundSums | Totals
    before: FoundSums | Totals

    @cached_property
    def whole(self) -> Change:
        return Change(self.now.totals, self.before.totals)


def changes_of_parts(usage: Usage, comparison: Comparison) -> dict[Part, PartChange]:
    """How each part of ``usage``, which is not narrowed to days, changed on the compared days; one query."""
    if not comparison.is_possible:
        return {}
    division = {"now": divide(comparison.now), "before": divide(comparison.before)}
    sides = found_in_parts(usage, division, "company_id", "project_id", "model")
    now, before = sides["now"], sides["before"]
    none = FoundSums()
    return {Part(*part): PartChange(now.get(part, none), before.get(part, none)) for part in {**now, **before}}


def most_moved(changes: Mapping[Any, Change], currency: str) -> dict[Any, Change]:
    """Those of the groups that moved most, the largest first.

    A movement of which one side has no price at all is none that could be told.
    """
    known = [group for group, change in changes.items() if not change.is_unpriced]
    known.sort(key=lambda group: (-abs(moved(changes[group], currency)), str(group)))
    return {group: changes[group] for group in known[:LARGEST]}


# What Project.display_name is made of.
_NAMES: Final = ("pk", "kind", "label", "name", "hint", "external_id")


def projects_of(companies: Collection[int | None], usage: Usage, comparison: Comparison) -> dict[int, Project]:
    """The projects of which these companies pay a part at any time, or may share the usage; their names. One query.

    None: those of which some of ``usage`` is unassigned in the months of the compared days.
    """
    shares = AssignmentShare.objects.filter(company__in=[pk for pk in companies if pk is not None])
    wanted = Q(pk__in=shares.values("assignment__project")) | Q(kind=Project.Kind.KEYLESS)
    if None in companies and comparison.is_possible:
        days = first_of(min(comparison.before)), max(comparison.now)
        unassigned = usage.filter(company=None).sums_of_months("project").filter(day__range=days)
        wanted |= Q(pk__in=unassigned.values("project"))
    return {project.pk: project for project in Project.objects.filter(wanted).order_by().only(*_NAMES)}


def movements_of_companies(
    changes: Mapping[int | None, Change], parts: Mapping[Part, PartChange], currency: str
) -> tuple[Movement, ...]:
    """Those of the companies that ``changes`` are of, in their order; ``parts`` of others tell where keys went."""
    of_company: dict[int | None, list[Part]] = defaultdict(list)
    for part in parts:
        of_company[part.company].append(part)
    return tuple(
        _movement(pk, change, _mostly(of_company[pk], parts, change, currency), parts, currency)
        for pk, change in changes.items()
        if of_company[pk] and abs(moved(change, currency)) >= _LEAST
    )


def movements_of_parts(
    parts: Mapping[Part, PartChange], currency: str, *, wanted: Callable[[Part], bool] = lambda _part: True
) -> tuple[Movement, ...]:
    """The largest of the parts that are ``wanted``, each by itself; the others tell where keys went."""
    amounts = {part: abs(moved(change, currency)) for part, change in parts.items() if wanted(part)}
    by_size = sorted(amounts, key=lambda part: (-amounts[part], str(part)))
    told = (part for part in by_size if amounts[part] >= _LEAST and not parts[part].whole.is_unpriced)
    return tuple(_movement(part, parts[part].whole, part, parts, currency) for part in islice(told, LARGEST))


@dataclass(frozen=True)
class Moved:
    """What movements are about, by id."""

    companies: Mapping[int, Company]
    projects: Mapping[int, Project]
    models: Mapping[str, str]  # their names


def moved_by(
    movements: Iterable[Movement],
    *,
    known: Iterable[Company | None],
    projects: Mapping[int, Project],
    models: Mapping[str, str],
) -> Moved:
    """With a query where a company is not ``known``."""
    companies = {company.pk: company for company in known if company}
    named = {pk for each in movements for pk in (each.part.company, *each.others) if pk is not None}
    if missing := named - companies.keys():
        companies |= Company.objects.in_bulk(sorted(missing))
    return Moved(companies, projects, models)


def _mostly(own: Iterable[Part], parts: Mapping[Part, PartChange], change: Change, currency: str) -> Part:
    """Which of its ``own`` parts moved most in the direction of the whole."""
    sign = 1 if moved(change, currency) > 0 else -1
    return max(own, key=lambda part: sign * moved(parts[part], currency))


def _movement(subject: Any, change: Change, part: Part, parts: Mapping[Part, PartChange], currency: str) -> Movement:
    of_part = parts[part].whole
    if not of_part.before.is_idle and not of_part.now.is_idle:
        cause, figure = _quantity_or_price(of_part, currency)
        return Movement(subject, change, part, of_part, cause, figure)
    came = of_part.before.is_idle
    of_key = {other: each.whole for other, each in parts.items() if other.project == part.project}
    before, now = _payers(of_key, "before"), _payers(of_key, "now")
    if part.project is None or part.company in (before if came else now):
        return Movement(subject, change, part, of_part, Cause.MODEL_CAME if came else Cause.MODEL_WENT)
    others = before if came else now
    moved_on, moved_alone = (Cause.KEY_TAKEN, Cause.KEY_CAME) if came else (Cause.KEY_GIVEN, Cause.KEY_WENT)
    cause = moved_on if others else moved_alone
    return Movement(subject, change, part, of_part, cause, others=others)


def _payers(of_key: Mapping[Part, Change], side: str) -> frozenset[int | None]:
    return frozenset(part.company for part, change in of_key.items() if not getattr(change, side).is_idle)


def _quantity_or_price(change: Change, currency: str) -> tuple[Cause, str]:
    """Which of both moved more: how much was used, at the old price, or the price, of what is used now."""
    figure = _told(change)
    if not figure:
        return Cause.COST, ""
    now, before = Decimal(getattr(change.now, figure)), Decimal(getattr(change.before, figure))
    old_price = change.before.cost_in(currency) / before
    by_quantity = (now - before) * old_price
    by_price = change.now.cost_in(currency) - now * old_price
    return (Cause.PRICE if abs(by_price) > abs(by_quantity) else Cause.QUANTITY), figure


def _told(change: Change) -> str:
    """The first quantity that both sides tell of all that they hold."""
    untold = change.now.untold | change.before.untold
    found: Iterable[str] = (
        name
        for name in _QUANTITIES
        if name not in untold and getattr(change.now, name) and getattr(change.before, name)
    )
    return next(iter(found), "")

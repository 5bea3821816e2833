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
from itertools import islice
from typing import Any, Final

from django.db.models import Q

from core.months import first_of
from costs.reports.comparison import Change, Comparison, changes_between
from costs.reports.selection import Usage, divide
from costs.reports.totals import Costs, Totals, costs_in_parts, totals_of_parts
from providers.models import AssignmentShare, Company, Project

LARGEST: Final = 5
# What is less than a cent shows as no movement.
_LEAST: Final = Decimal("0.005")
# What a price can be of, the first that both sides tell.
_QUANTITIES: Final = ("credits", "minutes", "requests")
# Of which a Part is, in this order.
_FIELDS: Final = ("company_id", "project_id", "model")


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


@dataclass(frozen=True)
class CostChange:
    """What a part cost on the compared days. There are thousands, of which few are looked at closely."""

    now: Costs
    before: Costs

    @property
    def is_unpriced(self) -> bool:
        """As that of Change."""
        return self.now.is_unpriced or self.before.is_unpriced


def moved(change: Change | CostChange, currency: str) -> Decimal:
    return change.now.cost_in(currency) - change.before.cost_in(currency)


@dataclass(frozen=True)
class Parts:
    """How each part of some usage changed on the compared days: what it cost, and of few all other figures."""

    costs: Mapping[Part, Change | CostChange]
    # These, and all other parts of their keys; without those that are somebody else's meanwhile.
    changes_of: Callable[[Iterable[Part]], Mapping[Part, Change]]


def known_parts(changes: Mapping[Part, Change]) -> Parts:
    return Parts(changes, lambda _parts: changes)


def read_parts(usage: Usage, projects: Collection[int], comparison: Comparison) -> Parts:
    """Of the usage of ``projects``, which is not narrowed to days; one query, and another for the changes of some."""
    if not comparison.is_possible:
        return known_parts({})
    division = {"now": divide(comparison.now), "before": divide(comparison.before)}

    def changes_of(parts: Iterable[Part]) -> Mapping[Part, Change]:
        if not (keys := sorted({part.project for part in parts if part.project is not None})):
            return {}
        sides: dict[str, dict[Part, Totals]] = {name: {} for name in division}
        # Not those of all projects: PostgreSQL would look for all of them.
        of_keys = usage.filter(project__in=keys)
        for (side, *part), sums in totals_of_parts(of_keys, division, "part", *_FIELDS).items():
            sides[side][Part(*part)] = sums
        return changes_between(sides["now"], sides["before"])

    sides = costs_in_parts(usage.filter(project__in=sorted(projects)), division, *_FIELDS)
    now, before, none = sides["now"], sides["before"], Costs()
    costs = {Part(*part): CostChange(now.get(part, none), before.get(part, none)) for part in {**now, **before}}
    return Parts(costs, changes_of)


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


def movements_of_companies(changes: Mapping[int | None, Change], parts: Parts, currency: str) -> tuple[Movement, ...]:
    """Those of the companies that ``changes`` are of, in their order; ``parts`` of others tell where keys went."""
    of_company: dict[int | None, list[Part]] = defaultdict(list)
    for part in parts.costs:
        of_company[part.company].append(part)
    chosen = {
        pk: _mostly(of_company[pk], parts, change, currency)
        for pk, change in changes.items()
        if of_company[pk] and abs(moved(change, currency)) >= _LEAST
    }
    known = parts.changes_of(chosen.values())
    return tuple(_movement(pk, changes[pk], part, known, currency) for pk, part in chosen.items() if part in known)


def movements_of_parts(
    parts: Parts, currency: str, *, wanted: Callable[[Part], bool] = lambda _part: True
) -> tuple[Movement, ...]:
    """The largest of the parts that are ``wanted``, each by itself; the others tell where keys went."""
    amounts = {part: abs(moved(change, currency)) for part, change in parts.costs.items() if wanted(part)}
    by_size = sorted(amounts, key=lambda part: (-amounts[part], str(part)))
    told = (part for part in by_size if amounts[part] >= _LEAST and not parts.costs[part].is_unpriced)
    chosen = list(islice(told, LARGEST))
    known = parts.changes_of(chosen)
    return tuple(_movement(part, known[part], part, known, currency) for part in chosen if part in known)


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


def _mostly(own: Iterable[Part], parts: Parts, change: Change, currency: str) -> Part:
    """Which of its ``own`` parts moved most in the direction of the whole."""
    sign = 1 if moved(change, currency) > 0 else -1
    return max(own, key=lambda part: sign * moved(parts.costs[part], currency))


def _movement(subject: Any, change: Change, part: Part, known: Mapping[Part, Change], currency: str) -> Movement:
    """``known`` holds all parts of the part's key, beside others."""
    of_part = known[part]
    if not of_part.before.is_idle and not of_part.now.is_idle:
        cause, figure = _quantity_or_price(of_part, currency)
        return Movement(subject, change, part, of_part, cause, figure)
    came = of_part.before.is_idle
    of_key = {other: each for other, each in known.items() if other.project == part.project}
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

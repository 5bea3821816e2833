"""Attributes stored usage to companies. The only writer of UsagePart, and of who pays for a stored row.

A row belongs to the payers of its project's period in force on its day (UTC). A period with one payer gets the whole
row, one with several splits it by their shares, and one without payers – or no period – leaves it unassigned. Usage
without an API key is shared by its provider's setting, except on days for which it has a period of its own.

Who pays is handed to the database as a temporary table of periods (PAYERS), which it joins with the rows: the write
path as it inserts them, and this module with what is stored. Only what differs is written.

Everything here runs in the transaction that changes usage or assignments and under a lock on the provider, so that a
reader never sees usage without its attribution.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from core.amounts import COST, CREDITS, MINUTES, REQUESTS
from core.database import Statement, carry_out, emptied
from core.days import as_date
from core.sums import ExactSum
from costs.models import AttributedUsage, DailyUsage, UsagePart
from costs.usage import sums
from providers.models import NO_PERIODS, Payers, Periods, Project, Provider, periods_of

# The payers of a row, by company id: of equals the first gets what can't be divided. Weights are above zero and need
# not be percents. Empty: the row is unassigned.
Weights = Payers

PAYERS = "payers_in_force"

# From a day to another, the last one included, or without an end: who pays for a project's rows.
Entry = tuple[int, date, date | None, Weights]

_CHUNK = 2000


@transaction.atomic
def attribute(project_ids: Collection[int]) -> None:
    """Recompute the attribution of every stored row of these projects, after their assignments have changed.

    Where their provider shares its keyless usage, that usage is attributed again too.
    """
    if not project_ids:
        return
    by_provider: dict[int, set[int]] = defaultdict(set)
    for pk, provider_id in Project.objects.filter(pk__in=project_ids).values_list("pk", "provider_id"):
        by_provider[provider_id].add(pk)
    for provider in locked(by_provider):
        _attribute_all(provider, by_provider[provider.pk])


@transaction.atomic
def attribute_keyless(provider: Provider) -> None:
    """Recompute the attribution of the provider's usage without an API key, after its sharing has changed."""
    attribute(_keyless_ids(provider))


def locked(provider_ids: Collection[int]) -> list[Provider]:
    """Lock these providers' rows, by id, until the transaction ends, and return them as they are now.

    Every writer of usage or attribution takes this lock first.
    """
    return list(Provider.objects.select_for_update(no_key=True).filter(pk__in=provider_ids).order_by("pk"))


def stage_payers(project_ids: Collection[int]) -> dict[int, Periods]:
    """Fill the temporary table PAYERS with who pays for these projects, on every day; it ends with the transaction.

    Returns the same by project. The caller holds the lock on their provider.
    """
    periods = _periods(project_ids)
    _stage(_entries(project_ids, periods), repeatedly=False)
    return periods


def attribute_staged(
    *,
    provider: Provider,
    periods: Mapping[int, Periods],
    days: Collection[date],
    used_before: Mapping[int, date | None],
) -> None:
    """What is left to do after rows of these projects and days were stored with the payers that PAYERS names.

    The parts of split rows, keyless usage, and the sums. The caller holds the lock on ``provider`` and has read it
    since. ``periods`` are those that stage_payers() returned. ``used_before`` are the keys' first days of use as they
    were before: keyless usage is shared anew from the earliest day on which a key has come into use, or is no longer.
    Raises TotalTooLargeError.
    """
    touched, projects = set(days), set(periods)
    shares_keyless = provider.keyless_sharing != Provider.KeylessSharing.NONE
    keyless = _keyless_ids(provider) if shares_keyless else set()
    divided = {pk for pk, of_project in periods.items() if of_project.has_splits and pk not in keyless}
    if divided:
        _replace_parts(divided, days, lambda pk, day: periods[pk].payers_on(day))
    if shares_keyless:
        moved, _companies = _share_keyless(provider, touched | _days_of_moved_keys(provider, used_before))
        touched |= moved
        projects |= keyless
    sums.refresh(provider_id=provider.pk, days=touched, projects=projects)


def first_uses(provider: Provider) -> dict[int, date | None]:
    """The first day of use of each of the provider's API keys, where the sharing of keyless usage depends on it."""
    if provider.keyless_sharing != Provider.KeylessSharing.EVENLY:
        return {}
    return dict(Project.objects.for_provider(provider).values_list("pk", "first_used_on"))


# --- Attributing ------------------------------------------------------------------------------------------------------

_USAGE = DailyUsage._meta.db_table
_STORED = {"credits": CREDITS, "minutes": MINUTES, "requests": REQUESTS, "cost": COST}

# Each stored row of which PAYERS knows the payers; it has one entry for each.
_SAME = """
    payer.project_id = used.project_id AND payer.starts_on <= used.day
    AND (payer.ends_on IS NULL OR used.day <= payer.ends_on)
"""
_DIFFERS = "(used.company_id IS DISTINCT FROM payer.company_id OR used.split <> payer.split)"
_DIFFERING = f"""
    SELECT DISTINCT used.day, used.company_id, payer.company_id FROM {PAYERS} AS payer JOIN {_USAGE} AS used ON {_SAME}
    WHERE {_DIFFERS}
"""
_SET_PAYERS = f"""
    UPDATE {_USAGE} AS used SET company_id = payer.company_id, split = payer.split
    FROM {PAYERS} AS payer WHERE {_SAME} AND {_DIFFERS}
"""

# The days and companies (None: unassigned) of which a sum may have changed.
_Touched = tuple[set[date], set[int | None]]


def _periods(project_ids: Collection[int]) -> dict[int, Periods]:
    known = periods_of(project_ids)
    return {pk: known.get(pk, NO_PERIODS) for pk in sorted(project_ids)}


def _entries(project_ids: Collection[int], periods: Mapping[int, Periods]) -> Iterable[Entry]:
    """Of each project one entry for every day that there is: before its first period nobody pays."""
    for pk in project_ids:
        in_order = periods[pk].in_order
        if not in_order:
            yield pk, date.min, None, ()
        elif in_order[0].starts_on > date.min:
            yield pk, date.min, in_order[0].starts_on - timedelta(days=1), ()
        for period in in_order:
            yield pk, period.starts_on, period.ends_on, period.payers


def _stage(entries: Iterable[Entry], *, repeatedly: bool) -> None:
    adapt = connection.ops.adapt_datefield_value
    rows = [
        (pk, adapt(first), last and adapt(last), payers[0][0] if len(payers) == 1 else None, len(payers) > 1)
        for pk, first, last, payers in entries
    ]
    columns = "project_id bigint, starts_on date, ends_on date, company_id bigint, split boolean"
    carry_out([*emptied(PAYERS, columns, repeatedly=repeatedly), *_insertions(rows)])


def _insertions(rows: Sequence[tuple[Any, ...]]) -> Iterator[Statement]:
    for start in range(0, len(rows), _CHUNK):
        piece = rows[start : start + _CHUNK]
        marks = ", ".join(["(%s, %s, %s, %s, %s)"] * len(piece))
        yield f"INSERT INTO {PAYERS} VALUES {marks}", list(chain.from_iterable(piece))


def _attribute_all(provider: Provider, project_ids: set[int]) -> None:
    """Every stored row of some projects of one provider."""
    shares_keyless = provider.keyless_sharing != Provider.KeylessSharing.NONE
    keyless = _keyless_ids(provider) if shares_keyless else set()
    ids = project_ids - keyless
    had_parts = _have_parts(project_ids | keyless)
    if not (shares_keyless or had_parts or DailyUsage.objects.filter(project__in=project_ids).exists()):
        return  # as of most keys that are assigned for the first time
    periods = _periods(ids)
    days, companies = _settle(_entries(ids, periods), ids, None, lambda pk, day: periods[pk].payers_on(day))
    if keyless:
        used = DailyUsage.objects.filter(project__in=keyless).order_by().values_list("day", flat=True).distinct()
        moved, others = _share_keyless(provider, set(used))
        days |= moved
        companies |= others
    sums.refresh(
        provider_id=provider.pk,
        days=days,
        projects=project_ids | keyless,
        companies=companies,
        # Who pays for a row is nothing to its model; into how many parts it is divided is counted.
        with_models=had_parts or _have_parts(project_ids | keyless),
    )


def _have_parts(project_ids: Collection[int]) -> bool:
    return UsagePart.objects.filter(project__in=project_ids).exists()


def _settle(
    entries: Iterable[Entry],
    project_ids: Collection[int],
    days: Collection[date] | None,
    weights_of: Callable[[int, date], Weights],
) -> _Touched:
    """Let the stored rows of these projects and days (None: every day) have the payers of ``entries``.

    ``weights_of`` says the same of one project and day. Rows that have them are not written.
    """
    _stage(entries, repeatedly=True)  # for each of perhaps a thousand providers
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"ANALYZE {PAYERS}")  # or it may read every row of the large table for a few projects
        cursor.execute(_DIFFERING)
        differing = [(as_date(day), {before, after}) for day, before, after in cursor.fetchall()]
        if differing:
            cursor.execute(_SET_PAYERS)
    touched: _Touched = {day for day, _pair in differing}, {pk for _day, pair in differing for pk in pair}
    parts_days, parts_companies = _replace_parts(project_ids, days, weights_of)
    return touched[0] | parts_days, touched[1] | parts_companies


def _replace_parts(
    project_ids: Collection[int], days: Collection[date] | None, weights_of: Callable[[int, date], Weights]
) -> _Touched:
    """Make the parts of the split rows of these projects and days (None: every day) anew."""
    mine = Q(project__in=project_ids) if days is None else Q(project__in=project_ids, day__in=days)
    parts, rows = UsagePart.objects.filter(mine), DailyUsage.objects.filter(mine, split=True).order_by("pk")
    touched = set(parts.order_by().values_list("day", "company").distinct())
    if touched:
        parts.delete()
    made = (
        part for row in rows.iterator(chunk_size=_CHUNK) for part in _parts(row, weights_of(row.project_id, row.day))
    )
    while batch := list(islice(made, _CHUNK)):
        UsagePart.objects.bulk_create(batch)
        touched |= {(part.day, part.company_id) for part in batch}
    return {day for day, _company in touched}, {company for _day, company in touched}


def _parts(row: DailyUsage, weights: Weights) -> list[UsagePart]:
    same = {name: getattr(row, name) for name in ("project_id", "day", "model", "currency", "estimated", "allocated")}
    proportions = [weight for _company, weight in weights]
    figures = {name: figure.shared(getattr(row, name), proportions) for name, figure in _STORED.items()}
    return [
        UsagePart(**same, company_id=company_id, **{name: parts[index] for name, parts in figures.items()})
        for index, (company_id, _weight) in enumerate(weights)
    ]


# --- Usage without an API key -----------------------------------------------------------------------------------------


def _share_keyless(provider: Provider, days: Collection[date]) -> _Touched:
    """Attribute the keyless usage of ``days``, after that of the keys."""
    ids = _keyless_ids(provider)
    rows = DailyUsage.objects.filter(project__in=ids, day__in=days)
    used = sorted(rows.order_by().values_list("project_id", "day").distinct())
    if not used:
        return set(), set()
    explicit = periods_of(ids)
    shared_on = {day for _pk, day in used}
    by_usage = provider.keyless_sharing == Provider.KeylessSharing.BY_USAGE
    shares = _usage_weights(provider, shared_on) if by_usage else _even_weights(provider, shared_on)

    def weights_of(pk: int, day: date) -> Weights:
        period = explicit.get(pk, NO_PERIODS).on(day)
        return period.payers if period else shares[day]

    return _settle(((pk, day, day, weights_of(pk, day)) for pk, day in used), ids, shared_on, weights_of)


def _even_weights(provider: Provider, days: Iterable[date]) -> dict[date, Weights]:
    """The same for each company that has an API key or agent in use: assigned to it, used before, not deleted yet."""
    keys = list(Project.objects.for_provider(provider).keys_and_agents().exclude(first_used_on=None))
    periods = periods_of([key.pk for key in keys])
    result = {}
    for day in days:
        companies = {
            company_id
            for key in keys
            if key.was_in_use_on(day)
            for company_id, _percent in periods.get(key.pk, NO_PERIODS).payers_on(day)
        }
        result[day] = tuple((company_id, Decimal(1)) for company_id in sorted(companies))
    return result


def _usage_weights(provider: Provider, days: Collection[date]) -> dict[date, Weights]:
    """What each company's API keys and agents used on the day: credits, or else cost (of one currency)."""
    used = (
        AttributedUsage.objects.filter(
            project__in=Project.objects.for_provider(provider).keys_and_agents(), day__in=days, company__isnull=False
        )
        .order_by()
        .values_list("day", "company", "currency")
        .annotate(credits_sum=ExactSum("credits"), cost_sum=ExactSum("cost"))
    )
    credits_of: dict[date, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    costs_of: dict[date, dict[str, dict[int, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    for day, company_id, currency, credits_sum, cost_sum in used:
        if credits_sum:
            credits_of[day][company_id] += credits_sum
        if cost_sum:
            costs_of[day][currency][company_id] = cost_sum
    result = {}
    for day in days:
        by_company: Mapping[int, Decimal] = credits_of.get(day, {})
        if not by_company and len(costs_of.get(day, {})) == 1:
            (by_company,) = costs_of[day].values()
        result[day] = tuple(sorted(by_company.items()))
    return result


def _days_of_moved_keys(provider: Provider, before: Mapping[int, date | None]) -> set[date]:
    """The days with keyless usage since the first on which a key is in use now and was not before, or the reverse."""
    if provider.keyless_sharing != Provider.KeylessSharing.EVENLY:
        return set()
    moved = [
        day
        for pk, first_use in first_uses(provider).items()
        if before.get(pk) != first_use
        for day in (before.get(pk), first_use)
        if day is not None
    ]
    if not moved:
        return set()
    keyless = DailyUsage.objects.filter(project__in=_keyless_ids(provider), day__gte=min(moved))
    return set(keyless.order_by().values_list("day", flat=True).distinct())


def _keyless_ids(provider: Provider) -> set[int]:
    keyless = Project.objects.for_provider(provider).filter(kind=Project.Kind.KEYLESS)
    return set(keyless.values_list("pk", flat=True))

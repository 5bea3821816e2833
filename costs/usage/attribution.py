"""Attributes stored usage to companies. The only writer of AttributedUsage and DailyTotal.

A row belongs to the payers of its project's period in force on its day (UTC). A period with one payer gets the whole
row, one with several splits it by their shares, and one without payers – or no period – leaves it unassigned. Usage
without an API key is shared by its provider's setting, except on days for which it has a period of its own.

Everything here runs in the transaction that changes usage or assignments and under a lock on the provider, so that a
reader never sees usage without its attribution.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet, Sum

from core.sums import ExactSum, storing_sums
from costs.models import COUNTED, FIGURES, AttributedUsage, DailyTotal, DailyUsage
from providers.models import NO_PERIODS, Assignment, Payers, Periods, Project, Provider

# The payers of a row: company ids with weights above zero, which need not be percents. Empty: the row is unassigned.
Weights = Payers

_CHUNK = 2000
_PROJECTS = 500  # in one statement: SQLite takes 32,766 parameters, four of each period


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


def attribute_staged(*, provider: Provider, staging: str, used_before: Mapping[int, date | None]) -> None:
    """Attribute the rows of the temporary table ``staging``, which has the columns of DailyUsage and was just stored.

    The caller holds the lock on ``provider`` and has read it since. ``used_before`` are the keys' first days of use as
    they were before: keyless usage is shared anew from the earliest day on which a key has come into use, or is no
    longer. Raises TotalTooLargeError.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT project_id FROM {staging}")
        project_ids = {pk for (pk,) in cursor.fetchall()}
        cursor.execute(f"SELECT DISTINCT day FROM {staging}")
        days = {_as_date(day) for (day,) in cursor.fetchall()}
        cursor.execute(_forget(staging))
    whole, split_projects = _periods(project_ids)
    with _hash_joins():
        _insert_whole(staging, whole)
    for pk, periods in split_projects.items():
        staged_days = DailyUsage.objects.filter(project=pk, day__in=days)
        AttributedUsage.objects.filter(project=pk, day__in=days).delete()
        _insert_parts((row, periods.payers_on(row.day)) for row in staged_days)
    if provider.keyless_sharing != Provider.KeylessSharing.NONE:
        days |= _share_keyless(provider, days | _days_of_moved_keys(provider, used_before))
    refresh_totals(provider=provider, days=days)


def first_uses(provider: Provider) -> dict[int, date | None]:
    """The first day of use of each of the provider's API keys, where the sharing of keyless usage depends on it."""
    if provider.keyless_sharing != Provider.KeylessSharing.EVENLY:
        return {}
    return dict(Project.objects.for_provider(provider).values_list("pk", "first_used_on"))


def refresh_totals(
    *, provider: Provider, days: Collection[date], companies: Collection[int | None] | None = None
) -> None:
    """Recompute the DailyTotal rows of the provider for ``days``, of all companies or of some (None: unassigned).

    Raises TotalTooLargeError where a sum does not fit its column.
    """
    if not days or companies == set():
        return
    ordered = sorted(days)
    for start in range(0, len(ordered), _CHUNK):
        piece = Q(day__in=ordered[start : start + _CHUNK])
        if companies is not None:
            unassigned = Q(company=None) if None in companies else Q(pk__in=[])
            piece &= Q(company__in=[pk for pk in companies if pk is not None]) | unassigned
        DailyTotal.objects.filter(piece, provider=provider).delete()
        query, params = _all_totals().filter(piece, project__provider=provider).query.sql_with_params()
        names = ", ".join(connection.ops.quote_name(f"sum_{name}") for name in _SUMMED)
        with connection.cursor() as cursor, storing_sums():
            cursor.execute(
                f"""
                INSERT INTO {_TOTALS} (provider_id, day, company_id, model, currency,
                    {", ".join(FIGURES)}, unpriced_rows, estimated_rows, {", ".join(_UNTOLD)})
                SELECT %s, day, company_id, model, currency, {names} FROM ({query}) AS summed
                """,
                (provider.pk, *params),
            )


def split(amount: int | None, weights: Weights) -> list[int | None]:
    """``amount``, in units of its storage scale, in proportion to ``weights``: parts that add up to it exactly.

    By largest remainder; of equal remainders the lowest company id comes first. Unknown stays unknown in every part.
    """
    if amount is None:
        return [None] * len(weights)
    # Whole numbers: no digit can be lost.
    units = _whole([weight for _company, weight in weights])
    total = sum(units)
    parts: list[int | None] = [amount * unit // total for unit in units]
    remainders = [amount * unit % total for unit in units]
    missing = sum(remainders) // total
    ranked = sorted(range(len(weights)), key=lambda index: (-remainders[index], weights[index][0]))
    for index in ranked[:missing]:
        parts[index] = (parts[index] or 0) + 1
    return parts


# --- Attributing ------------------------------------------------------------------------------------------------------

_ATTRIBUTED = AttributedUsage._meta.db_table
_TOTALS = DailyTotal._meta.db_table
_UNTOLD = tuple(f"untold_{name}" for name in COUNTED)
_SUMMED = (*FIGURES, "unpriced", "estimated", *_UNTOLD)
_COPIED = (*FIGURES, "currency", "estimated")
# The first line names the types, also where no line follows.
_INSERT_WHOLE = f"""
    WITH payer (project_id, starts_on, ends_on, company_id) AS (
        VALUES (CAST(NULL AS bigint), CAST(NULL AS date), CAST(NULL AS date), CAST(NULL AS bigint)){{payers}}
    )
    INSERT INTO {_ATTRIBUTED} (project_id, day, model, company_id, {", ".join(_COPIED)})
    SELECT used.project_id, used.day, used.model, payer.company_id, {", ".join(f"used.{name}" for name in _COPIED)}
    FROM {{source}} AS used LEFT JOIN payer
        ON payer.project_id = used.project_id AND payer.starts_on <= used.day
        AND (payer.ends_on IS NULL OR used.day <= payer.ends_on)
    WHERE used.project_id IN ({{projects}})
    ORDER BY used.project_id, used.day, used.model
"""


@cache
def _all_totals() -> QuerySet[AttributedUsage, Any]:
    """What DailyTotal is the sum of, to be filtered; made once: resolving its aggregates takes longer than a write."""
    grouped = AttributedUsage.objects.order_by().values("day", "company_id", "model", "currency")
    return grouped.annotate(**AttributedUsage.objects.sums(Sum))


def _forget(staging: str) -> str:
    """Delete the parts of the rows that are in ``staging``, found one by one by their index.

    PostgreSQL, which has no statistics yet of a table that was just filled, would compare every row of the one with
    every row of the other if the condition were a subquery; SQLite has no other form, and uses the index.
    """
    same = "part.project_id = staged.project_id AND part.day = staged.day AND part.model = staged.model"
    if connection.vendor == "postgresql":
        return f"DELETE FROM {_ATTRIBUTED} AS part USING {staging} AS staged WHERE {same}"
    return f"""
        DELETE FROM {_ATTRIBUTED} WHERE id IN (
            SELECT part.id FROM {staging} AS staged JOIN {_ATTRIBUTED} AS part ON {same}
        )
    """


def _insert_whole(source: str, periods: Mapping[int, Periods]) -> None:
    """Attribute the rows that the table ``source`` has of these projects, none of which is split."""
    adapt = connection.ops.adapt_datefield_value
    project_ids = sorted(periods)
    for start in range(0, len(project_ids), _PROJECTS):
        piece = project_ids[start : start + _PROJECTS]
        payers: list[Any] = []
        for pk in piece:
            for period in periods[pk].in_order:
                company_id = period.payers[0][0] if period.payers else None
                payers += (pk, adapt(period.starts_on), period.ends_on and adapt(period.ends_on), company_id)
        statement = _INSERT_WHOLE.format(
            source=source,
            payers=", (%s, %s, %s, %s)" * (len(payers) // 4),
            projects=", ".join(["%s"] * len(piece)),
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [*payers, *piece])


@contextmanager
def _hash_joins() -> Iterator[None]:
    """Let PostgreSQL hash a few payers for many rows: what was staged is otherwise only looked up by index."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_hashjoin = on")
        yield
        cursor.execute("SET LOCAL enable_hashjoin = off")


def _periods(project_ids: Collection[int]) -> tuple[dict[int, Periods], dict[int, Periods]]:
    """Periods by project id, in two parts: projects with at most one payer at any time, and projects with splits."""
    known = Assignment.objects.filter(project__in=project_ids).by_project()
    whole: dict[int, Periods] = {}
    split_projects: dict[int, Periods] = {}
    for pk in project_ids:
        periods = known.get(pk, NO_PERIODS)
        (split_projects if periods.has_splits else whole)[pk] = periods
    return whole, split_projects


def _insert_parts(rows: Iterable[tuple[DailyUsage, Weights]]) -> None:
    AttributedUsage.objects.bulk_create(
        (part for row, weights in rows for part in _parts(row, weights)), batch_size=_CHUNK
    )


def _parts(row: DailyUsage, weights: Weights) -> list[AttributedUsage]:
    same: dict[str, Any] = {
        "project_id": row.project_id,
        "day": row.day,
        "model": row.model,
        "currency": row.currency,
        "estimated": row.estimated,
    }
    if not weights:
        return [AttributedUsage(**same, **{name: getattr(row, name) for name in FIGURES})]
    figures: dict[str, list[Any]] = {"requests": split(row.requests, weights)}
    for name, scale in (
        ("credits", DailyUsage.CREDITS_SCALE),
        ("minutes", DailyUsage.MINUTES_SCALE),
        ("cost", DailyUsage.COST_SCALE),
    ):
        value: Decimal | None = getattr(row, name)
        units = split(None if value is None else int(value.scaleb(scale)), weights)
        figures[name] = [None if unit is None else Decimal(unit).scaleb(-scale) for unit in units]
    return [
        AttributedUsage(**same, company_id=company_id, **{name: parts[index] for name, parts in figures.items()})
        for index, (company_id, _weight) in enumerate(weights)
    ]


def _attribute_all(provider: Provider, project_ids: set[int]) -> None:
    """Every stored row of some projects of one provider."""
    shares_keyless = provider.keyless_sharing != Provider.KeylessSharing.NONE
    keyless = _keyless_ids(provider) if shares_keyless else set()
    ids = project_ids | keyless
    mine = AttributedUsage.objects.filter(project__in=ids)
    companies = set(mine.order_by().values_list("company", flat=True).distinct())
    days = set(DailyUsage.objects.filter(project__in=ids).order_by().values_list("day", flat=True).distinct())
    AttributedUsage.objects.filter(project__in=ids - keyless).delete()
    whole, split_projects = _periods(ids - keyless)
    _insert_whole(DailyUsage._meta.db_table, whole)
    for pk, periods in split_projects.items():
        rows = DailyUsage.objects.filter(project=pk).iterator(chunk_size=_CHUNK)
        _insert_parts((row, periods.payers_on(row.day)) for row in rows)
    if keyless:
        _share_keyless(provider, days)
    companies |= set(mine.order_by().values_list("company", flat=True).distinct())
    refresh_totals(provider=provider, days=days, companies=companies)


# --- Usage without an API key -----------------------------------------------------------------------------------------


def _share_keyless(provider: Provider, days: Collection[date]) -> set[date]:
    """Attribute the keyless usage of ``days``, after that of the keys; returns those of the days that have any."""
    ids = _keyless_ids(provider)
    AttributedUsage.objects.filter(project__in=ids, day__in=days).delete()
    periods = Assignment.objects.filter(project__in=ids).by_project()
    rows = list(DailyUsage.objects.filter(project__in=ids, day__in=days))
    used = {row.day for row in rows}
    by_usage = provider.keyless_sharing == Provider.KeylessSharing.BY_USAGE
    weights = _usage_weights(provider, used) if by_usage else _even_weights(provider, used)
    parts = []
    for row in rows:
        explicit = periods.get(row.project_id, NO_PERIODS).on(row.day)
        parts.append((row, explicit.payers if explicit else weights[row.day]))
    _insert_parts(parts)
    return used


def _even_weights(provider: Provider, days: Iterable[date]) -> dict[date, Weights]:
    """The same for each company that has an API key or agent in use: assigned to it, used before, not deleted yet."""
    keys = list(Project.objects.for_provider(provider).keys_and_agents().exclude(first_used_on=None))
    periods = Assignment.objects.filter(project__in=[key.pk for key in keys]).by_project()
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
    sums = (
        AttributedUsage.objects.filter(
            project__in=Project.objects.for_provider(provider).keys_and_agents(), day__in=days, company__isnull=False
        )
        .order_by()
        .values_list("day", "company", "currency")
        .annotate(credits_sum=ExactSum("credits"), cost_sum=ExactSum("cost"))
    )
    credits_of: dict[date, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    costs_of: dict[date, dict[str, dict[int, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    for day, company_id, currency, credits_sum, cost_sum in sums:
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


def _whole(weights: Sequence[Decimal]) -> list[int]:
    """The same proportions in whole numbers."""
    exponents = [exponent for weight in weights if isinstance(exponent := weight.as_tuple().exponent, int)]
    return [int(weight.scaleb(-min(0, *exponents))) for weight in weights]


def _as_date(value: date | str) -> date:
    """SQLite gives the days of a temporary table back as text."""
    return value if isinstance(value, date) else date.fromisoformat(value)

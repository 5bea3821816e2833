"""Reading ElevenLabs' answers: JSON documents in, frozen dataclasses with exact Decimals out.

Nothing here fetches, stores or rounds for show. Whatever does not fit is refused whole with UnexpectedResponseError
that names the column or field: a number that was guessed is worse than none. The shapes are those of ElevenLabs' API
reference: https://elevenlabs.io/docs/api-reference/introduction
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Any

from core.amounts import COST, CREDITS, CURRENCIES, DEFAULT_CURRENCY, MINUTES, REQUESTS, Figure
from elevenlabs_sync.tabular import PLAIN_NUMBER, Column, Table, is_id
from syncing.errors import UnexpectedResponseError
from syncing.reader import ListedKey, UsageRow

MAX_NAME_LENGTH = 200
_KNOWN_COLUMNS = frozenset(
    {
        "timestamp",
        "hashed_xi_api_key",
        "api_key_name",
        "model",
        "total_usage",
        "credits_used",
        "total_minutes",
        "usage_count",
        "total_cost",
        "total_charge_count",
    }
)
MAX_REASON_LENGTH = 60

# Wide enough to add up 30-digit decimals without rounding on the way.
_EXACT = Context(prec=100, rounding=ROUND_HALF_EVEN)


# Amounts by UTC day and model id; unknown is None.
DailyStats = dict[tuple[date, str], Decimal | None]


@dataclass(frozen=True)
class _Metrics:
    """Where an answer holds each figure; None where it does not."""

    credits: Column | None = None
    minutes: Column | None = None
    requests: Column | None = None
    cost: Column | None = None


def read_usage(document: Any, *, first: date, last: date) -> list[UsageRow]:
    """The usage of the UTC days ``first`` to ``last`` (inclusive) from an answer grouped by key hash and model.

    Rows of other days and buckets of zeros are left out; rows of the same key, day and model are added up, and where
    one of them is unknown so is the sum. Amounts are rounded half-even to the digits of their Figure, once. Ordered by
    day, key and model. Raises UnexpectedResponseError, also where storage can't hold a figure or the sum of them all.
    """
    table = Table.of(document)
    metrics = _Metrics(
        credits=table.by_unit("credits", names=("total_usage", "credits_used")),
        minutes=table.optional("total_minutes", units={"min"}),
        requests=table.optional("usage_count", units={None}),
        cost=table.optional("total_cost", units=CURRENCIES),
    )
    return _rows(table, metrics, first=first, last=last)


def unread_columns(document: Any) -> frozenset[str]:
    """The columns of a tabular answer that are neither read nor known to be of no use: the API has grown."""
    return Table.of(document).unknown(_KNOWN_COLUMNS)


def read_costs(document: Any, *, first: date, last: date) -> list[UsageRow]:
    """As read_usage, from an answer of the cost endpoint: credits, minutes and requests are unknown there.

    A null cost is all that such a row holds: something was used and has no price yet, which differs from no usage.
    """
    table = Table.of(document)
    table.needed("total_cost")
    return _rows(table, _Metrics(cost=table.optional("total_cost", units=CURRENCIES)), first=first, last=last)


def _rows(table: Table, metrics: _Metrics, *, first: date, last: date) -> list[UsageRow]:
    timestamp = table.needed("timestamp")
    key_hash = table.needed("hashed_xi_api_key")
    model = table.needed("model")
    key_name = table.optional("api_key_name")
    currency = (metrics.cost.unit or "") if metrics.cost else ""
    columns = (
        (CREDITS, metrics.credits),
        (MINUTES, metrics.minutes),
        (REQUESTS, metrics.requests),
        (COST, metrics.cost),
    )

    labels: dict[str, str] = {}
    places: dict[tuple[date, str, str], int] = {}
    amounts: list[list[Decimal | None]] = [[] for _ in columns]  # of each figure, by place
    for cells in table.rows:
        day = timestamp.day(cells)
        key = key_hash.identity(cells)
        identity = (day, key, model.identity(cells))
        values = [column.number(cells) if column else None for _figure, column in columns]
        if not first <= day <= last:
            continue
        if (place := places.get(identity)) is None:
            places[identity] = len(places)
            for of_figure, value in zip(amounts, values, strict=True):
                of_figure.append(value)
        else:
            for of_figure, value in zip(amounts, values, strict=True):
                of_figure[place] = _add(of_figure[place], value)
        label = cells[key_name.position] if key_name else None
        if label != labels.get(key) and isinstance(label, str) and label.strip():
            labels[key] = label

    for number, (figure, column) in enumerate(columns):
        amounts[number] = _stored(amounts[number], figure, column)  # one by one: the exact amounts take much memory
    names = {key: display_name(label) for key, label in labels.items()}
    tells_cost_alone = metrics.credits is None
    rows = []
    for (day, key, model_id), credits_, minutes, requests, cost in zip(places, *amounts, strict=True):
        if credits_ or minutes or requests or cost or (tells_cost_alone and cost is None):
            rows.append(
                UsageRow(
                    external_id=key or None,
                    key_name=names.get(key, ""),
                    day=day,
                    model=model_id,
                    credits=credits_,
                    minutes=minutes,
                    requests=None if requests is None else int(requests),
                    cost=cost,
                    currency="" if cost is None else currency,
                )
            )
    rows.sort(key=_in_order)
    return rows


def _in_order(row: UsageRow) -> tuple[int, str, str]:
    return (row.day.toordinal(), row.external_id or "", row.model)


def read_stats(document: Any, figure: Figure, *, first: date, last: date) -> DailyStats:
    """One figure by day and model id, from an answer of the old usage endpoint broken down by model.

    Days outside ``first`` to ``last`` (inclusive) are left out, and so are zeros; what is null is unknown. Raises
    UnexpectedResponseError as read_usage does.
    """
    times, usage = (document.get(key) for key in ("time", "usage")) if isinstance(document, dict) else (None, None)
    if not isinstance(times, list) or not isinstance(usage, dict):
        raise UnexpectedResponseError("it has no “time” and “usage”")
    axis = Column("time", 0, "ms")
    days = [axis.day([moment]) for moment in times]
    column = Column("usage", 0, None)
    stats: DailyStats = {}
    for model, numbers in usage.items():
        if not isinstance(numbers, list) or len(numbers) != len(days):
            raise UnexpectedResponseError("its “usage” does not fit its “time”")
        label = column.identity([model])
        amounts = _stored([column.number([number]) for number in numbers], figure, column)
        for day, amount in zip(days, amounts, strict=True):
            if amount != 0 and first <= day <= last:
                stats[day, label] = _add(stats.get((day, label), Decimal(0)), amount)
    _stored(list(stats.values()), figure, column)
    return stats


def key_hashes(rows: Iterable[UsageRow]) -> frozenset[str]:
    """The keys that ``rows`` speak of."""
    return frozenset(row.external_id for row in rows if row.external_id is not None)


def read_service_accounts(document: Any) -> list[ListedKey]:
    """Every API key of ``GET /v1/service-accounts``; a key without a hash can't be joined to usage and is left out."""
    keys: list[ListedKey] = []
    for account in objects(document, "service-accounts"):
        keys.extend(_listed_key(key) for key in objects(account, "api-keys") if key.get("hashed_xi_api_key"))
    return keys


# Credits start again after so many months; "billing_period" stands in where "character_refresh_period" is not known.
_MONTHS = {"monthly_period": 1, "3_month_period": 3, "6_month_period": 6, "annual_period": 12}


def read_subscription(document: Any) -> dict[str, Any]:
    """What is shown of ``GET /v1/user/subscription``, in the form of providers.plan.

    A figure that can't be is left out: none of it is needed.
    """
    if not isinstance(document, dict):
        raise UnexpectedResponseError("the subscription is not a JSON object")
    invoice = document.get("next_invoice")
    cents = _count(invoice.get("amount_due_cents")) if isinstance(invoice, dict) else None
    currency = currency if (currency := display_name(document.get("currency"))) in CURRENCIES else ""
    refresh = display_name(document.get("character_refresh_period")) or display_name(document.get("billing_period"))
    reset = _count(document.get("next_character_count_reset_unix"))
    return {
        "name": display_name(document.get("tier")),
        "status": display_name(document.get("status")),
        "used": _count(document.get("character_count")),
        "included": _count(document.get("character_limit")),
        "resets_at": datetime.fromtimestamp(reset, tz=UTC).isoformat() if reset and reset < 2**32 else None,
        "period_months": _MONTHS.get(refresh, 1),
        "overage": _overage(document.get("current_overage")),
        "next_invoice": {"amount": f"{Decimal(cents).scaleb(-2):f}", "currency": currency}
        if cents is not None and currency
        else None,
        "currency": currency,
    }


def _overage(value: Any) -> dict[str, str] | None:
    """An amount with its currency; None where it is none that anybody could owe."""
    if not isinstance(value, dict):
        return None
    amount, currency = display_name(value.get("amount")), display_name(value.get("currency")).lower()
    is_amount = PLAIN_NUMBER.fullmatch(amount) and abs(Decimal(amount)) <= COST.largest
    return {"amount": amount, "currency": currency or DEFAULT_CURRENCY} if is_amount and len(currency) <= 3 else None


def read_models(document: Any) -> dict[str, str]:
    """Display names by model id, from ``GET /v1/models``; an id that no usage can have is left out."""
    if not isinstance(document, list):
        raise UnexpectedResponseError("the list of models is not a JSON array")
    return {
        model["model_id"]: name
        for model in document
        if isinstance(model, dict)
        and isinstance(model.get("model_id"), str)
        and is_id(model["model_id"])
        and (name := display_name(model.get("name")))
    }


def _add(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else _EXACT.add(one, other)


def _stored(amounts: list[Decimal | None], figure: Figure, column: Column | None) -> list[Decimal | None]:
    """Each amount, rounded once to the digits that are stored; raises where storage can't hold one, or their sum."""
    told = [amount for amount in amounts if amount is not None]
    if column is None or not told:
        return [None] * len(amounts)
    if max(told) > figure.largest:
        raise column.refuse(f"holds more than the {figure.largest:,f} that can be stored")
    unit = figure.unit
    with localcontext(_EXACT):
        rounded = [None if amount is None else amount.quantize(unit) for amount in amounts]
        total = sum((amount for amount in rounded if amount), Decimal(0))
    if figure is REQUESTS and rounded != amounts:
        raise column.refuse("holds a number of requests that is not whole")
    # Sums of what an answer holds are stored as well.
    if total > figure.largest:
        raise column.refuse(f"adds up to more than the {figure.largest:,f} that can be stored")
    return rounded


def _listed_key(key: dict[str, Any]) -> ListedKey:
    key_hash = key["hashed_xi_api_key"]
    if not isinstance(key_hash, str) or not is_id(key_hash):
        raise UnexpectedResponseError("field hashed_xi_api_key holds something that is no id")
    return ListedKey(
        external_id=key_hash,
        name=display_name(key.get("name")),
        hint=display_name(key.get("hint"))[-4:],
        is_disabled=key.get("is_disabled") is True,
        disabled_reason=display_name(key.get("disable_reason"))[:MAX_REASON_LENGTH],
        expires_at=_moment(key.get("expires_at_unix")),
        credit_limit=_count(key.get("character_limit")),
        credits_used=_count(key.get("character_count")),
    )


def objects(document: Any, field: str) -> list[dict[str, Any]]:
    items = document.get(field) if isinstance(document, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UnexpectedResponseError(f"field {field} is not a list of objects")
    return items


def display_name(value: Any) -> str:
    """Text for show, made storable; empty where it is no text. Never identifies anything."""
    if not isinstance(value, str):
        return ""
    beginning = value.lstrip()[:MAX_NAME_LENGTH]
    return beginning.encode("utf-8", errors="replace").decode().replace("\0", "�").strip()


def _count(value: Any) -> int | None:
    """A whole number that is shown and nothing more; None where it is none."""
    return value if _is_int(value) and 0 <= value < 10**15 else None


def _moment(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(seconds, tz=UTC) if _is_int(seconds) and 0 < seconds < 10**11 else None


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

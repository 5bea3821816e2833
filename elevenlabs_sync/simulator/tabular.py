"""The tabular answer of usage over time: reading the query, grouping the truth by it, laying out the columns.

Source: https://elevenlabs.io/docs/api-reference/workspace/usage/get-usage-by-product-over-time. The simulator serves
daily buckets in UTC, the groupings and the filters that this project could ask for; the rest is refused with 422 as
the API refuses what it doesn't know. Which key may ask is not decided here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from elevenlabs_sync.simulator import jsontext
from elevenlabs_sync.simulator.workspace import CURRENCY, SimulatedWorkspace, UsageRow

DAY_SECONDS = 86_400
DAY_MS = DAY_SECONDS * 1000
EARLIEST_MS = 1_577_836_800_000
"""2020-01-01, before which the API takes no time."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01, a bound of the simulator's own."""
DEFAULT_INTERVAL_SECONDS = 60
EPOCH = date(1970, 1, 1)

KEY_COLUMN = "hashed_xi_api_key"
GROUP_COLUMNS: Mapping[str, Callable[[UsageRow], str | None]] = {
    KEY_COLUMN: lambda row: row.key_hash,
    "model": lambda row: row.model,
    "product_type": lambda row: row.product_type,
}
OPERATIONS = ("eq", "in", "neq", "not_in")

MEASURES = (
    ("total_usage", "Int", "credits"),
    ("total_minutes", "Float", "min"),
    ("total_cost", "Float", CURRENCY),
    ("usage_count", "Int", None),
    ("total_charge_count", "Float", None),
)

Group = tuple[str | None, ...]


class InvalidQueryError(ValueError):
    """The query is refused; `problems` is the `detail` of the 422 answer."""

    def __init__(self, problems: list[dict[str, object]]) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ColumnFilter:
    """Keeps rows whose `column` is one of `values`, or is none of them when `negated`."""

    column: str
    values: frozenset[object]
    negated: bool

    def keeps(self, row: UsageRow) -> bool:
        return (GROUP_COLUMNS[self.column](row) in self.values) != self.negated


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """A query that was found valid. `first_day` and `last_day` are the inclusive UTC days that get a bucket."""

    first_day: date
    last_day: date
    group_by: tuple[str, ...] = ()
    filters: tuple[ColumnFilter, ...] = ()


@dataclass(slots=True)
class _Bucket:
    """The running sums of one group on one day."""

    key_name: str | None = None
    credits: Decimal = Decimal(0)
    minutes: Decimal = Decimal(0)
    requests: int = 0
    cost: Decimal = Decimal(0)
    unpriced: bool = False

    def add(self, row: UsageRow) -> None:
        self.credits += row.credits
        self.minutes += row.minutes
        self.requests += row.requests
        if row.cost is None:
            self.unpriced = True
        else:
            self.cost += row.cost

    def cells(self) -> list[Decimal | None]:
        """The measures in the order of `MEASURES`; a sum with an unknown part is unknown."""
        cost = None if self.unpriced else self.cost
        return [self.credits, self.minutes, cost, Decimal(self.requests), self.credits]


@dataclass(slots=True)
class _Problems:
    """Collects what is wrong with a query, in the API's validation shape."""

    found: list[dict[str, object]] = field(default_factory=list)

    def add(self, where: Iterable[str | int], message: str, kind: str = "value_error") -> None:
        self.found.append({"loc": ["body", *where], "msg": message, "type": kind})


def read_query(body: object) -> UsageQuery:
    """The query in a request's JSON body.

    As seen live, the bucket that starts exactly at `end_time` is part of the answer although the end is exclusive; so
    the last day is the one in which `end_time` lies. Raises InvalidQueryError.
    """
    problems = _Problems()
    if not isinstance(body, dict):
        problems.add((), "Input should be a valid dictionary", "model_attributes_type")
        raise InvalidQueryError(problems.found)
    start = _read_time(body, "start_time", problems)
    end = _read_time(body, "end_time", problems)
    if not problems.found and start >= end:
        problems.add(("end_time",), "end_time must be after start_time")
    interval = body.get("interval_seconds", DEFAULT_INTERVAL_SECONDS)
    if interval != DAY_SECONDS or isinstance(interval, float):
        problems.add(
            ("interval_seconds",),
            f"the simulator serves intervals of {DAY_SECONDS} seconds only (the default is {DEFAULT_INTERVAL_SECONDS})",
        )
    if body.get("time_zone") not in (None, "UTC", "Etc/UTC"):
        problems.add(("time_zone",), "the simulator serves UTC only")
    group_by = _read_group_by(body.get("group_by"), problems)
    filters = _read_filters(body.get("filters"), problems)
    if problems.found:
        raise InvalidQueryError(problems.found)
    return UsageQuery(_day_of(start), _day_of(end), group_by, filters)


def usage_over_time(
    workspace: SimulatedWorkspace, query: UsageQuery, *, decimal_strings: bool = False
) -> dict[str, object]:
    """The answer's document, with Decimals for numbers (exact text comes from `jsontext`).

    Ordered by time. Every group that occurs has a row for every day on which the workspace existed, zeros where
    nothing was used. With `decimal_strings` every number is sent as a string, as has been seen too.
    """
    buckets = _grouped(workspace, query)
    names = {group: bucket.key_name for (_, group), bucket in buckets.items()}
    if not query.group_by:
        names.setdefault((), None)
    first = max(query.first_day, workspace.first_day)
    last = min(query.last_day, workspace.today + timedelta(days=1))
    rows: list[list[object]] = []
    for day in _days(first, last):
        for group, name in names.items():
            measures = buckets.get((day, group), _Bucket()).cells()
            numbers = [_as_text(number) for number in measures] if decimal_strings else measures
            display = [name] if KEY_COLUMN in query.group_by else []
            rows.append([*group, f"{day.isoformat()}T00:00:00Z", *numbers, *display])
    return {**_columns(query.group_by), "rows": rows}


def _columns(group_by: tuple[str, ...]) -> dict[str, object]:
    """The three parallel lists that describe the columns, display names last."""
    columns: list[tuple[str, str, str | None]] = [(name, "String", None) for name in group_by]
    columns.append(("timestamp", "DateTime", None))
    columns.extend(MEASURES)
    if KEY_COLUMN in group_by:
        columns.append(("api_key_name", "String", None))
    return {
        "columns": [name for name, _, _ in columns],
        "column_types": [kind for _, kind, _ in columns],
        "column_units": [unit for _, _, unit in columns],
    }


def _grouped(workspace: SimulatedWorkspace, query: UsageQuery) -> dict[tuple[date, Group], _Bucket]:
    buckets: dict[tuple[date, Group], _Bucket] = {}
    for row in workspace.rows(query.first_day, query.last_day + timedelta(days=1)):
        if all(column_filter.keeps(row) for column_filter in query.filters):
            group = tuple(GROUP_COLUMNS[name](row) for name in query.group_by)
            bucket = buckets.setdefault((row.day, group), _Bucket(key_name=row.key_name))
            bucket.add(row)
    return buckets


def _as_text(number: Decimal | None) -> str | None:
    return None if number is None else jsontext.plain(number)


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=offset) for offset in range((last - first).days + 1))


def _day_of(milliseconds: int) -> date:
    return EPOCH + timedelta(days=milliseconds // DAY_MS)


def _read_time(body: Mapping[str, object], name: str, problems: _Problems) -> int:
    if name not in body:
        problems.add((name,), "Field required", "missing")
        return 0
    value = body[name]
    if not isinstance(value, int) or isinstance(value, bool):
        problems.add((name,), "Input should be a valid integer", "int_type")
        return 0
    if value < EARLIEST_MS:
        problems.add((name,), f"Input should be greater than or equal to {EARLIEST_MS}", "greater_than_equal")
    elif value > LATEST_MS:
        problems.add((name,), f"Input should be less than or equal to {LATEST_MS}", "less_than_equal")
    return value


def _read_group_by(value: object, problems: _Problems) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        problems.add(("group_by",), "Input should be a valid list", "list_type")
        return ()
    for index, name in enumerate(value):
        if not isinstance(name, str) or name not in GROUP_COLUMNS:
            problems.add(("group_by", index), f"Input should be one of: {', '.join(GROUP_COLUMNS)}", "enum")
    return tuple(dict.fromkeys(name for name in value if isinstance(name, str)))


def _read_filters(value: object, problems: _Problems) -> tuple[ColumnFilter, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        problems.add(("filters",), "Input should be a valid list", "list_type")
        return ()
    filters = []
    for index, entry in enumerate(value):
        read = _read_filter(entry)
        if read is None:
            problems.add(("filters", index), "Input should be a column, an operation and values of those supported")
        else:
            filters.append(read)
    return tuple(filters)


def _read_filter(entry: object) -> ColumnFilter | None:
    if not isinstance(entry, dict):
        return None
    column, operation, values = entry.get("column"), entry.get("operation"), entry.get("values")
    if not isinstance(column, str) or column not in GROUP_COLUMNS:
        return None
    if operation not in OPERATIONS or not isinstance(values, list):
        return None
    if not all(value is None or isinstance(value, str) for value in values):
        return None
    return ColumnFilter(column, frozenset(values), negated=operation in ("neq", "not_in"))

"""Reading the queries of the two usage endpoints: window, grouping and filters, and what each endpoint allows.

Source: https://elevenlabs.io/docs/api-reference/workspace/usage. The simulator serves daily buckets in UTC, the
groupings and the filters that this project could ask for; the rest is refused with 422 as the API refuses what it
doesn't know. What is answered is made in `tabular`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from elevenlabs_sync.simulator.usage import Used
from elevenlabs_sync.simulator.workspace import SimulatedWorkspace

DAY_SECONDS = 86_400
DAY_MS = DAY_SECONDS * 1000
EARLIEST_MS = 1_577_836_800_000
"""2020-01-01, before which the API takes no time."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01, a bound of the simulator's own."""
DEFAULT_INTERVAL_SECONDS = 60
EPOCH = date(1970, 1, 1)

KEY_COLUMN = "hashed_xi_api_key"
RESOURCE_COLUMN = "resource_id"
USER_COLUMN = "user_id"
GROUP_COLUMNS: Mapping[str, Callable[[SimulatedWorkspace, Used], str | None]] = {
    KEY_COLUMN: lambda _workspace, row: row.key_hash,
    "model": lambda _workspace, row: row.model,
    "product_type": lambda _workspace, row: row.product_type,
    USER_COLUMN: lambda workspace, row: workspace.user_of(row)[0],
    RESOURCE_COLUMN: lambda workspace, row: workspace.resource_id(row),
    "fiat_currency": lambda workspace, _row: workspace.currency,
    "reporting_workspace_id": lambda workspace, _row: workspace.workspace_id,
}
CHOOSING = ("eq", "in")
OPERATIONS = (*CHOOSING, "neq", "not_in")

COST_COLUMNS_LIMITED = frozenset(
    {
        "user_id",
        KEY_COLUMN,
        "region",
        "reporting_workspace_id",
        "billing_group_id",
        "product_type",
        "surface",
        "actor",
    }
)
"""A query of cost may use two of these at most, for groups and filters together."""


class InvalidQueryError(ValueError):
    """The query is refused; `problems` is the `detail` of the 422 answer."""

    def __init__(self, problems: list[dict[str, object]]) -> None:
        super().__init__(problems)
        self.problems = problems


class CombinationError(ValueError):
    """Every part of the query has the right form, but they don't go together; a 400 answer with this sentence."""


@dataclass(frozen=True, slots=True)
class ColumnFilter:
    """Keeps rows whose `column` passes `operation` with `values`."""

    column: str
    operation: str
    values: frozenset[object]

    def keeps(self, workspace: SimulatedWorkspace, row: Used) -> bool:
        is_one_of_them = GROUP_COLUMNS[self.column](workspace, row) in self.values
        return is_one_of_them == (self.operation in CHOOSING)


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """A query that was found valid.

    `first_day` and `last_day` are the inclusive UTC days that get a bucket. As seen live, the bucket that starts
    exactly at the exclusive end is part of the answer, so `last_day` is the day in which the end lies; `ends_at_start`
    shows that it lies at that day's beginning, so that the day was not requested.
    """

    first_day: date
    last_day: date
    group_by: tuple[str, ...] = ()
    filters: tuple[ColumnFilter, ...] = ()
    ends_at_start: bool = False

    def reaches(self, day: date, *, end_reaches: bool = False) -> bool:
        """Whether the range has a part of `day`, or of a later one; with `end_reaches` touching it is enough."""
        touches_only = self.last_day == day and self.ends_at_start
        return self.last_day >= day and (end_reaches or not touches_only)


@dataclass(slots=True)
class _Problems:
    """Collects what is wrong with a query, in the API's validation shape."""

    found: list[dict[str, object]] = field(default_factory=list)

    def add(self, where: Iterable[str | int], message: str, kind: str = "value_error") -> None:
        self.found.append({"loc": ["body", *where], "msg": message, "type": kind})


def read_usage_query(body: object) -> UsageQuery:
    """The query of usage over time in a request's JSON body. Raises InvalidQueryError."""
    problems = _Problems()
    fields = _read_object(body, problems)
    interval = fields.get("interval_seconds", DEFAULT_INTERVAL_SECONDS)
    if interval != DAY_SECONDS or isinstance(interval, float):
        problems.add(
            ("interval_seconds",),
            f"the simulator serves intervals of {DAY_SECONDS} seconds only (the default is {DEFAULT_INTERVAL_SECONDS})",
        )
    if fields.get("time_zone") not in (None, "UTC", "Etc/UTC"):
        problems.add(("time_zone",), "the simulator serves UTC only")
    return _read(fields, problems)


def read_cost_query(body: object) -> UsageQuery:
    """The query of cost in a request's JSON body. Raises InvalidQueryError and CombinationError."""
    problems = _Problems()
    fields = _read_object(body, problems)
    interval = fields.get("interval_seconds")
    if interval is None:
        problems.add(("interval_seconds",), "Field required", "missing")
    elif not isinstance(interval, int) or interval < DAY_SECONDS or interval % DAY_SECONDS:
        problems.add(("interval_seconds",), "Input should be a whole number of UTC days in seconds")
    elif interval != DAY_SECONDS:
        problems.add(("interval_seconds",), f"the simulator serves intervals of {DAY_SECONDS} seconds only")
    query = _read(fields, problems)
    if RESOURCE_COLUMN in {*query.group_by, *(used.column for used in query.filters)}:
        problems.add((), f"the cost of a {RESOURCE_COLUMN} is not known", "enum")
        raise InvalidQueryError(problems.found)
    _check_combination(query)
    return query


def _check_combination(query: UsageQuery) -> None:
    """Raises CombinationError unless the cost endpoint can group and filter by all that is asked for together."""
    grouped = COST_COLUMNS_LIMITED.intersection(query.group_by)
    limited = grouped | COST_COLUMNS_LIMITED.intersection(used.column for used in query.filters)
    names = ", ".join(sorted(COST_COLUMNS_LIMITED))
    if len(limited) > 2:
        raise CombinationError(f"Usage can be grouped or filtered by at most two of {names}.")
    if len(grouped) == 2 and not any(used.column in grouped and used.operation in CHOOSING for used in query.filters):
        raise CombinationError(f"Grouping by two of {names} requires an eq or in filter on one of them.")


def _read_object(body: object, problems: _Problems) -> Mapping[str, object]:
    if isinstance(body, dict):
        return body
    problems.add((), "Input should be a valid dictionary", "model_attributes_type")
    raise InvalidQueryError(problems.found)


def _read(fields: Mapping[str, object], problems: _Problems) -> UsageQuery:
    """The parts that both endpoints have; raises InvalidQueryError when there is any problem by now."""
    start = _read_time(fields, "start_time", problems)
    end = _read_time(fields, "end_time", problems)
    if start is not None and end is not None and start >= end:
        problems.add(("end_time",), "end_time must be after start_time")
    group_by = _read_group_by(fields.get("group_by"), problems)
    filters = _read_filters(fields.get("filters"), problems)
    if problems.found or start is None or end is None:
        raise InvalidQueryError(problems.found)
    return UsageQuery(day_of(start), day_of(end), group_by, filters, ends_at_start=end % DAY_MS == 0)


def day_of(milliseconds: int) -> date:
    """The UTC day in which a Unix time in milliseconds lies."""
    return EPOCH + timedelta(days=milliseconds // DAY_MS)


def _read_time(fields: Mapping[str, object], name: str, problems: _Problems) -> int | None:
    if name not in fields:
        problems.add((name,), "Field required", "missing")
        return None
    value = fields[name]
    if not isinstance(value, int) or isinstance(value, bool):
        problems.add((name,), "Input should be a valid integer", "int_type")
        return None
    if value < EARLIEST_MS:
        problems.add((name,), f"Input should be greater than or equal to {EARLIEST_MS}", "greater_than_equal")
        return None
    if value > LATEST_MS:
        problems.add((name,), f"Input should be less than or equal to {LATEST_MS}", "less_than_equal")
        return None
    return value


def _read_group_by(value: object, problems: _Problems) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        problems.add(("group_by",), "Input should be a valid list", "list_type")
        return ()
    for index, name in enumerate(value):
        if not _is_one_of(name, GROUP_COLUMNS):
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
    if not _is_one_of(column, GROUP_COLUMNS) or not _is_one_of(operation, OPERATIONS) or not isinstance(values, list):
        return None
    if not all(value is None or isinstance(value, str) for value in values):
        return None
    return ColumnFilter(str(column), str(operation), frozenset(values))


def _is_one_of(value: object, names: Collection[str]) -> bool:
    return isinstance(value, str) and value in names

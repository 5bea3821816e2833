"""The tabular answers of the two usage endpoints: grouping the truth by the query and laying out the columns.

Source: https://elevenlabs.io/docs/api-reference/workspace/usage. Queries are read in `queries`; which key may ask, and
which of the endpoints answers a workspace at all, is decided in `routes`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from elevenlabs_sync.simulator.queries import GROUP_COLUMNS, KEY_COLUMN, USER_COLUMN, UsageQuery
from elevenlabs_sync.simulator.usage import Used
from elevenlabs_sync.simulator.workspace import SimulatedWorkspace

CURRENCY_UNIT = "the workspace's currency"

Measures = tuple[tuple[str, str, str | None], ...]
USAGE_MEASURES: Measures = (
    ("total_usage", "Int", "credits"),
    ("total_minutes", "Float", "min"),
    ("total_cost", "Float", CURRENCY_UNIT),
    ("usage_count", "Int", None),
    ("total_charge_count", "Float", None),
)
COST_MEASURES: Measures = (("total_cost", "Float", CURRENCY_UNIT), ("total_charge_count", "Float", None))
ONE_DAY = timedelta(days=1)

Group = tuple[str | None, ...]


@dataclass(slots=True)
class _Bucket:
    """The running sums of one group on one day."""

    key_name: str | None = None
    user_label: str = ""
    credits: Decimal = Decimal(0)
    minutes: Decimal = Decimal(0)
    requests: int = 0
    cost: Decimal = Decimal(0)
    unpriced: bool = False

    def add(self, row: Used) -> None:
        self.credits += row.credits
        self.minutes += row.minutes
        self.requests += row.requests
        if row.cost is None:
            self.unpriced = True
        else:
            self.cost += row.cost

    def cell(self, measure: str) -> Decimal | None:
        """The value under a measure's name; a sum with an unknown part is unknown."""
        match measure:
            case "total_usage" | "total_charge_count":
                return self.credits
            case "total_minutes":
                return self.minutes
            case "usage_count":
                return Decimal(self.requests)
            case _:
                return None if self.unpriced else self.cost


def usage_over_time(workspace: SimulatedWorkspace, query: UsageQuery) -> dict[str, object]:
    """The document of usage over time, with Decimals for numbers (exact text comes from `jsontext`).

    Ordered by time. Every group that occurs has a row for every day on which the workspace existed and was billed in
    credits, zeros where nothing was used.
    """
    first = max(query.first_day, workspace.first_day)
    last = min(query.last_day, workspace.today + ONE_DAY)
    if workspace.billing.cost_from <= last:
        last = workspace.billing.cost_from - ONE_DAY
    return _table(workspace, query, USAGE_MEASURES, (first, last))


def cost_over_time(workspace: SimulatedWorkspace, query: UsageQuery) -> dict[str, object]:
    """The document of cost, as `usage_over_time`; days before the workspace was billed by cost have no rows at all."""
    first = max(query.first_day, workspace.first_day, workspace.billing.cost_from)
    last = min(query.last_day, workspace.today + ONE_DAY)
    return _table(workspace, query, COST_MEASURES, (first, last))


def _table(
    workspace: SimulatedWorkspace, query: UsageQuery, measures: Measures, days: tuple[date, date]
) -> dict[str, object]:
    first, last = days
    buckets = _grouped(workspace, query, first, last)
    names = {group: (bucket.key_name, bucket.user_label) for (_, group), bucket in buckets.items()}
    if not query.group_by:
        names.setdefault((), (None, ""))
    rows: list[list[object]] = []
    for day in _days(first, last):
        for group, (name, label) in names.items():
            bucket = buckets.get((day, group), _Bucket())
            cells = [bucket.cell(measure) for measure, _, _ in measures]
            display = [name] if KEY_COLUMN in query.group_by else []
            display += [label] if USER_COLUMN in query.group_by else []
            rows.append([*group, f"{day.isoformat()}T00:00:00Z", *cells, *display])
    return {**_columns(query.group_by, measures, workspace.currency), "rows": rows}


def _columns(group_by: tuple[str, ...], measures: Measures, currency: str) -> dict[str, object]:
    """The three parallel lists that describe the columns, display names last."""
    columns: list[tuple[str, str, str | None]] = [(name, "String", None) for name in group_by]
    columns.append(("timestamp", "DateTime", None))
    columns.extend((name, kind, currency if unit == CURRENCY_UNIT else unit) for name, kind, unit in measures)
    if KEY_COLUMN in group_by:
        columns.append(("api_key_name", "String", None))
    if USER_COLUMN in group_by:
        columns.append(("user_label", "String", None))
    return {
        "columns": [name for name, _, _ in columns],
        "column_types": [kind for _, kind, _ in columns],
        "column_units": [unit for _, _, unit in columns],
    }


def _grouped(
    workspace: SimulatedWorkspace, query: UsageQuery, first: date, last: date
) -> dict[tuple[date, Group], _Bucket]:
    buckets: dict[tuple[date, Group], _Bucket] = {}
    if first > last:
        return buckets
    for row in workspace.used(first, last + ONE_DAY):
        if all(column_filter.keeps(workspace, row) for column_filter in query.filters):
            group = tuple(GROUP_COLUMNS[name](workspace, row) for name in query.group_by)
            label = workspace.user_of(row)[1] if USER_COLUMN in query.group_by else ""
            bucket = buckets.setdefault((row.day, group), _Bucket(row.key_name, label))
            bucket.add(row)
    return buckets


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=offset) for offset in range((last - first).days + 1))

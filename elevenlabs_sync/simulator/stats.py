"""The old usage endpoint (deprecated): one metric, at most one breakdown, for any good key of the workspace.

Source: https://elevenlabs.io/docs/api-reference/usage/get. The simulator serves days, the metrics and the breakdowns
that this project could ask for; the rest is refused with 422. The format has no unknown values: what is not known (an
unpriced cost, credits of days billed by cost) is simply not in the sums.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from urllib.parse import parse_qs

from elevenlabs_sync.simulator.queries import EARLIEST_MS, LATEST_MS, InvalidQueryError, day_of
from elevenlabs_sync.simulator.usage import Used
from elevenlabs_sync.simulator.workspace import SimulatedWorkspace

TEXT_TO_SPEECH = "text_to_speech"
METRICS: Mapping[str, Callable[[Used], Decimal | None]] = {
    "credits": lambda row: row.credits,
    "tts_characters": lambda row: row.credits if row.product_type == TEXT_TO_SPEECH else None,
    "minutes_used": lambda row: row.minutes,
    "request_count": lambda row: Decimal(row.requests),
    "fiat_units_spent": lambda row: row.cost,
}
MONEY = "fiat_units_spent"
BREAKDOWNS: Mapping[str, Callable[[Used], str | None]] = {
    "none": lambda _row: "All",
    "model": lambda row: row.model,
    "product_type": lambda row: row.product_type,
    "all_api_keys": lambda row: row.key_name or "No API key",
    # As seen live, where the newer endpoint knows usage of the same keys.
    "api_keys": lambda _row: None,
}
INTERVALS = ("day",)


def character_stats(workspace: SimulatedWorkspace, query: str) -> dict[str, object]:
    """The answer to a URL's query: a time axis of days, and for every label that occurs a number for each of them.

    The axis goes from the day of `start_unix` to the one in which `end_unix` lies, both included. Without
    `include_workspace_metrics` only a person's own usage counts: that of keys without a service account and of the web
    app. Raises InvalidQueryError.
    """
    fields = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    problems: list[dict[str, object]] = []
    start, end = (_milliseconds(fields, name, problems) for name in ("start_unix", "end_unix"))
    whole_workspace = _choice(fields, "include_workspace_metrics", ("false", "true"), problems) == "true"
    breakdown = BREAKDOWNS[_choice(fields, "breakdown_type", tuple(BREAKDOWNS), problems)]
    _choice(fields, "aggregation_interval", INTERVALS, problems)
    metric = _choice(fields, "metric", tuple(METRICS), problems)
    if not problems and start >= end:
        problems.append(_problem("end_unix", "end_unix must be after start_unix"))
    if problems:
        raise InvalidQueryError(problems)
    first, last = day_of(start), day_of(end)
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    own = {key.slug for key in workspace.cast if key.account is None}
    usage: dict[str, list[Decimal]] = {}
    for row in workspace.used(first, last + timedelta(days=1)):
        label, number = breakdown(row), METRICS[metric](row)
        known = metric == MONEY or row.day < workspace.billing.cost_from
        if label is not None and number is not None and known and (whole_workspace or row.slug in own):
            usage.setdefault(label, [Decimal(0)] * len(days))[(row.day - first).days] += number
    return {"time": [int(datetime.combine(day, time(), tzinfo=UTC).timestamp()) * 1000 for day in days], "usage": usage}


def _milliseconds(fields: Mapping[str, str], name: str, problems: list[dict[str, object]]) -> int:
    text = fields.get(name)
    if text is None:
        problems.append(_problem(name, "Field required", "missing"))
    elif not (text.isascii() and text.isdigit() and EARLIEST_MS <= int(text) <= LATEST_MS):
        problems.append(_problem(name, f"Input should be an integer from {EARLIEST_MS} to {LATEST_MS}", "int_parsing"))
    else:
        return int(text)
    return 0


def _choice(fields: Mapping[str, str], name: str, choices: tuple[str, ...], problems: list[dict[str, object]]) -> str:
    """The value of a field that has a choice, the first of which is its default."""
    value = fields.get(name, choices[0])
    if value in choices:
        return value
    problems.append(_problem(name, f"Input should be one of those that the simulator serves: {', '.join(choices)}"))
    return choices[0]


def _problem(name: str, message: str, kind: str = "enum") -> dict[str, object]:
    return {"loc": ["query", name], "msg": message, "type": kind}

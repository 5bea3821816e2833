"""A large answer: decoded exactly, and read into rows.

References: the same text by decoders that are quick and not exact – the standard library's with floats, and orjson and
msgspec where they are installed.
"""

from __future__ import annotations

import importlib
import json
from collections import deque
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from benchmarks.measuring import in_child, timed
from benchmarks.results import Result
from benchmarks.world import Effort, rows_of, today
from elevenlabs_sync.decoding import parse_table
from elevenlabs_sync.payloads import read_usage

DAYS, MODELS = 30, 14
COLUMNS = {
    "hashed_xi_api_key": None,
    "model": None,
    "timestamp": None,
    "total_usage": "credits",
    "total_minutes": "min",
    "usage_count": None,
    "total_cost": "usd",
}


def measure(effort: Effort) -> Iterator[Result]:
    body = answer(effort.answer_bytes)
    megabytes = len(body) / 1e6
    references = {name: _in_child(decode, body)[0] for name, decode in decoders().items()}
    for name, seconds in references.items():
        yield Result("decoding", f"reference: {name}", seconds * 1000, "ms")
    last = today()
    first = last - timedelta(days=DAYS - 1)
    for name, work in {
        f"{megabytes:.0f} MB decoded": lambda body: deque(parse_table(body)["rows"], maxlen=0),
        f"{megabytes:.0f} MB decoded and read": lambda body: read_usage(parse_table(body), first=first, last=last),
    }.items():
        seconds, peak_mb = _in_child(work, body)
        ratios = {other: seconds / reference for other, reference in references.items()}
        details = {"peak_mb": peak_mb, "peak_to_body": peak_mb / megabytes}
        yield Result("decoding", name, seconds * 1000, "ms", ratios, details)


def answer(size: int) -> bytes:
    """A tabular answer of about so many bytes, with numbers that binary floating point can't hold."""
    days = [today() - timedelta(days=offset) for offset in range(DAYS)]
    lines: list[str] = []
    length = key = 0
    while length < size:
        for row in rows_of(key, key, MODELS, days):
            _key, day, model, credits_used, minutes, requests, cost, _currency = row
            cells = (f"{key:064x}", model, f"{day}T00:00:00Z")
            figures = (f"{credits_used}.0625", f"{(minutes or 0) / 1e6:.6f}", requests, f"{(cost or 0) * 1e-10:.10f}")
            line = "[" + ",".join((*(f'"{cell}"' for cell in cells), *(str(figure) for figure in figures))) + "]"
            lines.append(line)
            length += len(line) + 1
        key += 1
    head = {
        "columns": list(COLUMNS),
        "column_units": list(COLUMNS.values()),
    }
    return (json.dumps(head)[:-1] + ', "rows": [' + ",".join(lines) + "]}").encode()


def missing() -> list[str]:
    """What can't be compared with here, in sentences."""
    lacks = {"orjson", "msgspec with floats"} - decoders().keys()
    return [f"Decoding is not compared with {' and '.join(sorted(lacks))}: not installed."] if lacks else []


def decoders() -> dict[str, Callable[[bytes], Any]]:
    """Those that are installed, by name."""
    found: dict[str, Callable[[bytes], Any]] = {"json with floats": json.loads}
    for module, name, function in (("orjson", "orjson", "loads"), ("msgspec.json", "msgspec with floats", "decode")):
        try:
            found[name] = getattr(importlib.import_module(module), function)
        except ImportError:
            continue
    return found


def _in_child(work: Callable[[bytes], Any], body: bytes) -> tuple[float, float]:
    def run() -> float:
        with timed() as done:
            result = work(body)
        del result
        return done.cpu_seconds

    done = in_child(run)
    return done.value, done.peak_mb

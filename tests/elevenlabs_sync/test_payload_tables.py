"""Usage answers of many rows: which are added up, left out or ignored."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elevenlabs_sync.decoding import parse_table
from elevenlabs_sync.payloads import (
    key_hashes,
    read_usage,
)
from syncing.reader import UsageRow
from tests.elevenlabs_sync.tables import KEY_HASH, OTHER_HASH, UNITS, answer, cells

DAY = date(2026, 9, 20)


def read(
    *rows: Mapping[str, Any], units: Mapping[str, str | None] = UNITS, without: tuple[str, ...] = ()
) -> list[UsageRow]:
    return read_usage(answer(rows, units=units, without=without), first=DAY, last=DAY)


# --- Usage: many rows -------------------------------------------------------------------------------------------------


def test_rows_of_one_identity_are_added_up() -> None:
    """The same key, day and model twice is one row with the sum of both."""
    [row] = read(cells(), cells(total_usage="0.5", total_minutes=None, usage_count=5, total_cost="0.01"))

    assert (row.credits, row.minutes, row.requests, row.cost) == (Decimal("1000.5"), None, 15, Decimal("0.31"))


def test_null_and_empty_hash_are_one_identity() -> None:
    """Keyless usage is one row per day and model, however it is written."""
    [row] = read(cells(hashed_xi_api_key=None), cells(hashed_xi_api_key=""))

    assert row.credits == 2000


def test_buckets_outside_the_window_are_left_out() -> None:
    """A bucket that starts at the window's end, or before it, belongs to another window."""
    rows = [cells(timestamp=f"{DAY + timedelta(days=offset)}T00:00:00Z") for offset in (-1, 0, 1)]

    assert [row.day for row in read(*rows)] == [DAY]


@pytest.mark.parametrize("zero", [0, "0", "0.0", None])
def test_empty_buckets_are_left_out(zero: Any) -> None:
    """Zeros and unknowns only: nothing was used."""
    empty = {"total_usage": zero, "total_minutes": 0, "total_cost": None, "usage_count": "0"}

    assert read(cells(**empty)) == []


@pytest.mark.parametrize("column", ["total_usage", "total_minutes", "total_cost", "usage_count"])
def test_bucket_with_any_figure_is_kept(column: str) -> None:
    """One figure above zero is usage."""
    zeros = dict.fromkeys(["total_usage", "total_minutes", "total_cost", "usage_count"], 0)

    assert len(read(cells(**zeros | {column: 1}))) == 1


def test_empty_table_is_no_usage() -> None:
    """A table without rows is understood."""
    assert read() == []


def test_surplus_columns_are_ignored() -> None:
    """A column that was added tells nothing and breaks nothing."""
    units: dict[str, str | None] = {"added_first": "rating", **UNITS, "added_last": "inr"}

    assert read(cells(added_first={"x": 1}, added_last="-5"), units=units) == read(cells())


def test_two_windows_answers_name_the_same_keys() -> None:
    """The keys of an answer are known without the keyless usage."""
    rows = read(cells(), cells(hashed_xi_api_key=OTHER_HASH), cells(hashed_xi_api_key=None))

    assert key_hashes(rows) == {KEY_HASH, OTHER_HASH}


# --- Usage: any table -------------------------------------------------------------------------------------------------

_SCALES = {"total_usage": 4, "total_minutes": 6, "total_cost": 10, "usage_count": 0}


@st.composite
def _figures(draw: st.DrawFn, *, whole: bool) -> Decimal | None:
    if draw(st.integers(0, 9)) == 0:
        return None
    digits = 0 if whole else draw(st.integers(0, 30))
    return Decimal(draw(st.integers(0, 10**5 * 10**digits))).scaleb(-digits)


@st.composite
def _buckets(draw: st.DrawFn) -> dict[str, Any]:
    day = DAY + timedelta(days=draw(st.integers(-2, 3)))
    return {
        "hashed_xi_api_key": draw(st.sampled_from([None, "", KEY_HASH, OTHER_HASH])),
        "model": draw(st.sampled_from([None, "", "a", "b"])),
        "timestamp": day,
        **{name: draw(_figures(whole=name == "usage_count")) for name in _SCALES},
    }


@st.composite
def _tables(draw: st.DrawFn) -> tuple[list[dict[str, Any]], bytes]:
    """Buckets as they are meant, and one way to write them as JSON."""
    buckets = draw(st.lists(_buckets(), max_size=12))
    ms = draw(st.booleans())
    units: dict[str, str | None] = {**UNITS, "timestamp": "ms" if ms else None, "surplus": "ratio"}
    order = draw(st.permutations(sorted(units)))
    written = []
    for bucket in buckets:
        cell: dict[str, Any] = dict(bucket)
        cell["timestamp"] = (
            (bucket["timestamp"] - date(1970, 1, 1)).days * 86_400_000 if ms else f"{bucket['timestamp']}T00:00:00Z"
        )
        for name in _SCALES:
            if cell[name] is not None:
                text = f"{cell[name]:f}"
                cell[name] = text if draw(st.booleans()) else _Number(text)
        written.append(cell)
    document = answer(written, units={name: units[name] for name in order})
    return buckets, _as_json(document).encode()


class _Number(str):
    """Text that stands in the JSON as a number."""

    __slots__ = ()


def _as_json(value: Any) -> str:
    match value:
        case _Number():
            return str(value)
        case dict():
            return "{" + ",".join(f"{json.dumps(name)}:{_as_json(item)}" for name, item in value.items()) + "}"
        case list():
            return "[" + ",".join(_as_json(item) for item in value) + "]"
        case _:
            return json.dumps(value)


def _half_even(value: Fraction, digits: int) -> Fraction:
    return Fraction(round(value * 10**digits), 10**digits)  # Python rounds fractions half-even


def _reference(buckets: list[dict[str, Any]], first: date, last: date) -> dict[tuple[date, str, str], list[Any]]:
    """The same sums, by fractions and a plain dictionary."""
    sums: dict[tuple[date, str, str], list[Fraction | None]] = defaultdict(lambda: [Fraction(0)] * len(_SCALES))
    for bucket in buckets:
        identity = (bucket["timestamp"], bucket["hashed_xi_api_key"] or "", bucket["model"] or "")
        if first <= identity[0] <= last:
            for place, name in enumerate(_SCALES):
                before, more = sums[identity][place], bucket[name]
                sums[identity][place] = None if before is None or more is None else before + Fraction(more)
    rounded = {
        identity: [
            None if value is None else _half_even(value, digits)
            for value, digits in zip(values, _SCALES.values(), strict=True)
        ]
        for identity, values in sums.items()
    }
    return {identity: values for identity, values in rounded.items() if any(values)}


@given(_tables(), st.integers(-1, 1), st.integers(0, 2))
def test_any_table_is_summed_as_by_an_independent_reference(
    table: tuple[list[dict[str, Any]], bytes], offset: int, length: int
) -> None:
    """Whatever the order of columns and rows and the writing of numbers: the sums per key, day and model are exact."""
    buckets, body = table
    first = DAY + timedelta(days=offset)
    last = first + timedelta(days=length)

    rows = read_usage(parse_table(body), first=first, last=last)

    found = {
        (row.day, row.external_id or "", row.model): [row.credits, row.minutes, row.cost, row.requests] for row in rows
    }
    assert found == _reference(buckets, first, last)
    assert [(row.day, row.external_id or "", row.model) for row in rows] == sorted(found)

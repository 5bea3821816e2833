"""Tabular answers for tests, in the shape that was recorded live; each cell and column can be replaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

KEY_HASH = "ab" * 32
OTHER_HASH = "cd" * 32

UNITS: Mapping[str, str | None] = {
    "hashed_xi_api_key": None,
    "model": None,
    "timestamp": None,
    "total_usage": "credits",
    "total_minutes": "min",
    "total_cost": "usd",
    "usage_count": None,
    "total_charge_count": None,
    "api_key_name": None,
}


def cells(**overrides: Any) -> dict[str, Any]:
    """One bucket of usage on 20 September 2026."""
    return {
        "hashed_xi_api_key": KEY_HASH,
        "model": "eleven_multilingual_v2",
        "timestamp": "2026-09-20T00:00:00Z",
        "total_usage": 1000,
        "total_minutes": "1.5",
        "total_cost": "0.30",
        "usage_count": 10,
        "total_charge_count": 1000,
        "api_key_name": "Support line",
    } | overrides


def answer(
    rows: Iterable[Mapping[str, Any]] = (), *, units: Mapping[str, str | None] = UNITS, without: Iterable[str] = ()
) -> dict[str, Any]:
    """The document of ``rows``; its columns, in order, are the keys of ``units`` less those of ``without``."""
    dropped = set(without)
    columns = [name for name in units if name not in dropped]
    return {
        "columns": columns,
        "column_types": ["String" for _ in columns],
        "column_units": [units[name] for name in columns],
        "rows": [[row.get(name) for name in columns] for row in rows],
    }

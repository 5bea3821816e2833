"""A line of one row's days, small enough for a cell; drawn by the server."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html

from core.cells import Cell

_WIDTH, _HEIGHT = 96, 22


def sparkline(values: Sequence[float], says: str) -> Cell:
    """From the first of ``values`` to the last; the highest is as high as the cell. ``says`` is read out instead."""
    highest = max(values, default=0)
    if highest <= 0 or len(values) < 2:
        return Cell("", "")
    across = _WIDTH / (len(values) - 1)
    points = " ".join(
        f"{index * across:.0f},{1 + (_HEIGHT - 2) * (1 - value / highest):.0f}" for index, value in enumerate(values)
    )
    html = format_html(
        '<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}"><polyline points="{}"/></svg>',
        _WIDTH,
        _HEIGHT,
        says,
        points,
    )
    return Cell(html, "")

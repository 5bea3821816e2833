"""Where the parts of a stacked chart stand: plain geometry, drawn by the server, so that no script has to.

Bars lie in a box of ``WIDTH`` units per bar by ``HEIGHT`` that is stretched to the page's width; labels and what must
not be stretched are placed in percent. These are the only floats among figures: they are drawn and not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

WIDTH: Final = 100
HEIGHT: Final = 1000
# Of a place, so that a few bars are not as wide as the page.
_WIDEST, _PER_BAR = 0.84, 0.055
_LABELS = 10

Values = Sequence[float | None]


@dataclass(frozen=True)
class Tick:
    at: str  # percent of the height, from above
    label: str


@dataclass(frozen=True)
class DayLabel:
    at: str  # percent of the width
    text: str
    anchor: str
    only_wide: bool  # left out where there is little room


@dataclass(frozen=True)
class Place:
    """A rectangle in percent."""

    x: str
    width: str
    y: str
    height: str


def axis(highest: float) -> list[float]:
    """Zero and up to four round numbers above it, of which the last is not below ``highest``."""
    if highest <= 0:
        return [0, 1]
    rough = highest / 4
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    return [step * number for number in range(ceil(highest / step - 0.001) + 1)]


def compact(value: float) -> str:
    """ "0", "0.25", "1.5K", "20M"."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}"


def ticks(values: Sequence[float], prefix: str) -> list[Tick]:
    return [Tick(_percent(1 - value / values[-1]), f"{prefix}{compact(value)}") for value in values]


def bar_width(count: int) -> float:
    """Of a bar's place."""
    return min(_WIDEST, _PER_BAR * count)


def paths(stacks: Sequence[Values], highest: float) -> list[str]:
    """A path for each series, the first at the bottom, with a rectangle for each of its values."""
    count = max((len(values) for values in stacks), default=0)
    half = WIDTH * bar_width(count) / 2
    below = [0.0] * count
    found = []
    for values in stacks:
        pieces = []
        for index, value in enumerate(values):
            if not value:
                continue
            bottom, top = _height(below[index], highest), _height(below[index] + value, highest)
            below[index] += value
            left, right = index * WIDTH + WIDTH / 2 - half, index * WIDTH + WIDTH / 2 + half
            pieces.append(f"M{left:.0f} {bottom}V{min(top, bottom - 1)}H{right:.0f}V{bottom}Z")
        found.append("".join(pieces))
    return found


def line(values: Values, highest: float) -> str:
    """From the middle of each bar to the next; broken where nothing is known."""
    pieces = []
    is_drawn = False
    for index, value in enumerate(values):
        if value is None:
            is_drawn = False
            continue
        pieces.append(f"{'L' if is_drawn else 'M'}{index * WIDTH + WIDTH // 2} {_height(value, highest)}")
        is_drawn = True
    return "".join(pieces)


def places(totals: Sequence[float], highest: float, wanted: Sequence[int]) -> list[Place]:
    """The whole bars of ``wanted``."""
    count, width = len(totals), bar_width(len(totals))
    return [
        Place(
            x=_percent((index + (1 - width) / 2) / count),
            width=_percent(width / count),
            y=_percent(1 - totals[index] / highest),
            height=_percent(totals[index] / highest),
        )
        for index in wanted
    ]


def columns(count: int) -> list[Place]:
    """All of the height above each bar, for the pointer."""
    return [Place(_percent(index / count), _percent(1 / count), "0", "100%") for index in range(count)]


def day_labels(texts: Sequence[str]) -> list[DayLabel]:
    """As many as fit, from the first on."""
    count = len(texts)
    every = ceil(count / _LABELS) or 1
    return [
        DayLabel(
            at=_percent((index + 0.5) / count),
            text=texts[index],
            anchor="middle" if count < 4 or 0 < index < count - 1 else "end" if index else "start",
            only_wide=count > 3 and number % 3 != 0,
        )
        for number, index in enumerate(range(0, count, every))
    ]


def _height(value: float, highest: float) -> int:
    return round(HEIGHT * (1 - value / highest))


def _percent(part: float) -> str:
    return f"{100 * part:.3f}".rstrip("0").rstrip(".") + "%"

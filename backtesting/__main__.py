"""`make backtest`: print the tables that docs/forecast.md holds."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from backtesting import alarms, forecasts  # noqa: E402 - what they measure lives in a Django app
from backtesting.series import DailyCosts, random_series, simulated_series  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(prog="make backtest", description="Replay series day by day.")
    parser.add_argument("--series", type=int, default=200, help="how many random series")
    parser.add_argument(
        "--chosen-on", action="store_true", help="those that the constants were chosen on, instead of those held out"
    )
    options = parser.parse_args()
    begun = time.monotonic()
    which = "that the constants were chosen on" if options.chosen_on else "held out"
    name = f"{options.series} random series {which}"
    groups = {name: list(random_series(options.series, chosen_on=options.chosen_on))}
    if not options.chosen_on:
        groups["the simulated workspace"] = simulated_series()
    for name, series in groups.items():
        sys.stdout.write("\n".join([*tables(name, series), "", ""]))
        sys.stdout.flush()
    sys.stdout.write(f"Took {time.monotonic() - begun:.0f} s.\n")
    return 0


def tables(name: str, series: Sequence[DailyCosts]) -> Iterator[str]:
    report = forecasts.measure(series)
    yield f"### Forecasts: {name}, {report.months} months"
    yield ""
    yield "| off by (median, mean, nine of ten below) | after day 7 | after day 15 | after day 22 |"
    yield "|---|---|---|---|"
    for method in forecasts.METHODS:
        cells = [report.of(method, after) for after in forecasts.AFTER_DAYS]
        shown = [f"{_percent(one.median)}, {_percent(one.mean)}, {_percent(one.ninth)}" for one in cells]
        yield f"| {method} | {' | '.join(shown)} |"
    held = " | ".join(f"{report.held[after]:.0%}".replace("%", " %") for after in forecasts.AFTER_DAYS)
    yield f"| months that the range shown held | {held} |"
    yield ""
    yield f"### Unusual spending: {name} ({len(series)} series)"
    yield ""
    found = alarms.measure(series)
    kinds = list(found[0].recall)
    heads = [f"found of {found[0].injected[kind]}: {kind}" for kind in kinds]
    yield f"| | false alarms per series and quarter | {' | '.join(heads)} | days until a step is found |"
    yield f"|---|---{'|---' * (len(kinds) + 1)}|"
    for one in found:
        recall = " | ".join(f"{one.recall[kind]:.2f}" for kind in kinds)
        delay = one.delay.get("+50 %")
        yield f"| {one.detector} | {one.false_a_quarter:.2f} | {recall} | {'–' if delay is None else f'{delay:.1f}'} |"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


if __name__ == "__main__":
    sys.exit(main())

"""How right forecasts and the search for unusual spending are: `make backtest` replays series day by day.

A room beside `benchmarks/`, not in it: that one measures how fast the product is and needs a database; this one
measures how right it is, needs nothing but the pure functions of `costs/reports/`, and gives the same numbers
everywhere.
"""

"""How figures are shown: views, tables, charts, formatters and what an address asks for."""

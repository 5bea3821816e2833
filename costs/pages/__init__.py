"""How figures are shown: views, tables, charts, formatters, and reading what to show from the URL."""

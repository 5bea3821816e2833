"""Usage and what it costs: the one write path, reports, exports, and every page that shows money."""

"""Usage as files for other programs."""

"""Figures that are worked out from stored usage, as frozen dataclasses; no HTML, no URL."""

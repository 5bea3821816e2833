"""Composition: settings, URLs, the Celery application, and the process that runs everything on one machine."""

__version__ = "0.1.0"

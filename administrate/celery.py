"""The Celery application that worker, beat and web share."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "administrate.settings")

app = Celery("administrate")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

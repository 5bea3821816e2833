"""The WSGI entry point for gunicorn (production) and waitress (embedded)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "administrate.settings")

application = get_wsgi_application()

#!/usr/bin/env python
"""The command line: Django's own commands and the product's."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from administrate.garbage import look_seldom

if __name__ == "__main__":
    look_seldom()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "administrate.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"administrate: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

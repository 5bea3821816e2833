"""What a connection was told, written out."""

from __future__ import annotations

import re

from django.db import connection

from core import database


def written_out(sql: str) -> str:
    """As it was before PostgreSQL had planned parts of it."""
    if connection.vendor != "postgresql":
        return sql
    texts = {name: text for text, name in database._names_of_planned.get(connection.connection, {}).items()}
    return re.sub(r"EXECUTE (planned_\w+)(?:\([^;]*\))?", lambda found: texts[found[1]], sql)

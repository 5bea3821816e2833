"""`python -m tests.interrupted_upgrade`: usage half-way to its present tables, with data that changed since.

What the first release left, brought to the release before usage named its payer; a key is split there. The conversion
dies after some pieces, and the old tables are changed once more, as a worker of the old release would. Printed is the
CSV that `export_usage` has to make of what they hold then.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import Any

from tests.first_release import FIRST, HEADER, MODELS, fill, migrated_to

BEFORE = {"costs": "0008_number_the_statements", "providers": "0010_agents"}
CONVERTED = ("costs", "0010_fill_usage_that_names_its_payer")
CHANGED_ON = date(2026, 2, 2)


class DiedError(Exception):
    """The conversion's process, as far as the database can tell."""


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "administrate.settings")
    django.setup()
    fill(migrated_to(FIRST))
    apps = migrated_to(BEFORE)
    Part = apps.get_model("costs", "AttributedUsage")  # noqa: N806
    hotline, nobodys = (apps.get_model("providers", "Project").objects.filter(name=name)[0] for name in NAMES)
    divide(Part, Part.objects.filter(project=nobodys), apps.get_model("providers", "Company").objects.order_by("pk"))
    convert_some()
    for name in ("DailyUsage", "AttributedUsage"):
        changed = apps.get_model("costs", name).objects.filter(project=hotline, day=CHANGED_ON, model=MODELS[0])
        changed.update(cost=Decimal("0.0000000001"), currency="usd")
    Part.objects.filter(project=nobodys, day=CHANGED_ON).update(requests=77)
    sys.stdout.write(as_csv(Part.objects.select_related("project__provider", "company")))


NAMES = ("Hotline", "Nobody's")


def divide(part: Any, rows: Iterable[Any], companies: Any) -> None:
    """A third of each row is the first company's, the rest the other's."""
    first, second = companies
    for row in list(rows):
        credits_used = int(row.credits.scaleb(4)) // 3
        same = {name: getattr(row, name) for name in ("project_id", "day", "model", "currency")}
        part.objects.create(**same, company=first, credits=Decimal(credits_used).scaleb(-4), cost=row.cost)
        row.company, row.credits = second, row.credits - Decimal(credits_used).scaleb(-4)
        row.cost = None if row.cost is None else Decimal(0)
        row.save()


def convert_some() -> None:
    """Two pieces, and then it dies."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from costs.migrations import _conversion

    whole = _conversion.fill_projects
    done: list[None] = []

    def fill_projects(cursor: Any, first: int, last: int) -> None:
        if len(done) == 2:
            raise DiedError
        whole(cursor, first, last)
        done.append(None)

    _conversion.ROWS_A_PIECE, _conversion.fill_projects = 100, fill_projects
    try:
        MigrationExecutor(connection).migrate([CONVERTED])
    except DiedError:
        return
    raise AssertionError("The conversion was not interrupted.")


def as_csv(parts: Iterable[Any]) -> str:
    lines: list[Any] = []
    for part in parts:
        figures = (part.credits, part.minutes, part.requests, part.cost)
        if any(figures) or all(figure is None for figure in figures):
            project, is_keyless = part.project, part.project.kind == "keyless"
            identity = "" if is_keyless else project.external_id
            shown = "No API key (web app)" if is_keyless else project.name
            owner = part.company.name if part.company else ""
            key = (part.day.isoformat(), project.provider.name, identity, shown, owner, part.model)
            lines.append((*key, *map(plain, figures), part.currency, "false", project.kind, "false"))
    written = io.StringIO()
    lines.sort(key=itemgetter(0, 1, 2, 5, 4))  # date, provider, key, model, company
    csv.writer(written, lineterminator="\n").writerows(lines)
    return f"{HEADER}\n{written.getvalue()}"


def plain(value: Decimal | int | None) -> str:
    if value is None:
        return ""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


if __name__ == "__main__":
    main()

"""`python -m tests.first_release`: the database that the environment names, as the first release left it, with data.

Printed is the CSV that `export_usage` has to make of it, now and after every upgrade.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

FIRST = {"administrate": "0001_cache_table", "providers": "0001_initial", "costs": "0001_initial"}
THEIRS = ("account", "admin", "auth", "contenttypes")

DAYS = 40
MODELS = ("eleven_v3", "scribe_v1", "")
BEGAN = date(2026, 1, 15)
HEADER = (
    "date,provider,project_id,project,company,model,credits,minutes,requests,cost,currency,estimated,kind,allocated"
)
API_KEY = "sk_" + "5e1f" * 12


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "administrate.settings")
    django.setup()
    lines = fill(migrated_to(FIRST))
    sys.stdout.write("\n".join([HEADER, *sorted(lines, key=order)]) + "\n")


def migrated_to(release: Mapping[str, str]) -> Any:
    """Migrate to a release – the latest migration of each of our apps – and give its models."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    leaves = [node for node in executor.loader.graph.leaf_nodes() if node[0] in THEIRS]
    targets = [*release.items(), *leaves]
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


def fill(apps: Any) -> list[str]:
    """Two workspaces, each with a key that changed its company, one without a company, and usage without a key."""
    from django.contrib.auth.hashers import make_password

    from core.secrets import ApiKey, encrypt

    model = apps.get_model
    moment = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    model("auth", "User").objects.create(
        username="first", password=make_password("since-the-first-release"), is_staff=True, is_superuser=True
    )
    acme, globex = (
        model("providers", "Company").objects.create(name=name, created_at=moment)
        for name in ("Acme", "Globex & Söhne")
    )
    lines = []
    for currency, name in (("usd", "Production"), ("eur", "Second, with a comma")):
        provider = model("providers", "Provider").objects.create(
            type="elevenlabs",
            name=name,
            region="global",
            encrypted_key=encrypt(ApiKey(API_KEY)),
            key_last_four=API_KEY[-4:],
            key_fingerprint=ApiKey(API_KEY).fingerprint,
            history_from=BEGAN,
            currency=currency,
            last_synced_at=moment,
            created_at=moment,
        )
        model("providers", "SyncRun").objects.create(
            provider=provider,
            trigger="connect",
            stage="usage",
            outcome="succeeded",
            queued_at=moment,
            started_at=moment,
            finished_at=moment,
            rows_read=DAYS,
        )
        for number, (kind, key, label) in enumerate(
            [("key", "a" * 64, "Hotline"), ("key", "b" * 64, "Nobody's"), ("keyless", "(keyless)", "")]
        ):
            project = model("providers", "Project").objects.create(
                provider=provider, external_id=key, kind=kind, name=label, first_used_on=BEGAN
            )
            periods = {date(1970, 1, 1): acme, BEGAN + timedelta(days=20): globex} if number == 0 else {}
            for starts_on, company in periods.items():
                period = model("providers", "Assignment").objects.create(project=project, starts_on=starts_on)
                model("providers", "AssignmentShare").objects.create(assignment=period, company=company, percent=100)
            lines += _use(model, project, periods, currency, shown=label or "No API key (web app)", moment=moment)
        model("costs", "ReadDay").objects.bulk_create(
            model("costs", "ReadDay")(provider=provider, day=BEGAN + timedelta(days=offset), read_at=moment)
            for offset in range(DAYS)
        )
    return lines


def _use(
    model: Any, project: Any, periods: dict[date, Any], currency: str, *, shown: str, moment: datetime
) -> list[str]:
    """Rows of every kind – priced to the last digit, unpriced, of nothing but zeros – and the lines they become."""
    rows, lines = [], []
    for offset in range(DAYS):
        day = BEGAN + timedelta(days=offset)
        company = next((periods[starts_on] for starts_on in sorted(periods, reverse=True) if starts_on <= day), None)
        for number, model_id in enumerate(MODELS):
            spent = Decimal(f"{offset * 7 + number}.{offset:04d}")
            cost = None if (offset + number) % 5 == 4 else Decimal(f"{number}.{offset:02d}00000001")
            requests = offset or None
            zero = offset == 0 and number == 0
            if zero:
                spent = cost = Decimal(0)
            of_cost = "" if cost is None else currency
            rows.append(
                model("costs", "DailyUsage")(
                    project=project,
                    day=day,
                    model=model_id,
                    credits=spent,
                    requests=requests,
                    cost=cost,
                    currency=of_cost,
                    updated_at=moment,
                )
            )
            if not zero:
                identity = "" if project.kind == "keyless" else project.external_id
                provider = f'"{project.provider.name}"' if "," in project.provider.name else project.provider.name
                owner = company.name if company else ""
                figures = [
                    _plain(spent),
                    "",
                    "" if requests is None else str(requests),
                    _plain(cost),
                    of_cost,
                    "false",
                    project.kind,
                    "false",
                ]
                lines.append(",".join([day.isoformat(), provider, identity, shown, owner, model_id, *figures]))
    model("costs", "DailyUsage").objects.bulk_create(rows)
    return lines


def _plain(value: Decimal | None) -> str:
    if value is None:
        return ""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def order(line: str) -> tuple[str, ...]:
    """Date, provider, key, model; the one name with a comma is the last of its day either way."""
    cells = line.replace('"Second, with a comma"', "Second").split(",")
    return cells[0], cells[1], cells[2], cells[5]


if __name__ == "__main__":
    main()

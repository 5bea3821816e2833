"""Each billing and region, connected, synced and exported by the commands, on the real clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings

from elevenlabs_sync import hosts
from elevenlabs_sync.simulator import (
    RESTRICTED_API_KEY,
    SIMULATED_API_KEY,
    Cost,
    Credits,
    Moved,
    key_of,
    keys_of,
)
from providers.models import Project
from tests.elevenlabs_sync.modes import (
    Rows,
    account_totals_of,
    known_totals,
    parsed,
    rows_of,
    totals_of,
)
from tests.providers.commands import ran, refused
from tests.simulation import EditedWorkspace, FaultySimulator
from tests.simulation.edits import Hide

pytestmark = pytest.mark.django_db


@contextmanager
def to_connect(*, days: int = 40, **options: Any) -> Iterator[FaultySimulator]:
    """A workspace as it is on this day, in the Global region's place."""
    workspace = EditedWorkspace(datetime.now(UTC).date(), history_days=days, **options)
    with (
        FaultySimulator(workspace) as server,
        override_settings(ELEVENLABS_BASE_URL=server.base_url, SYNC_BACKFILL_DAYS=days + 1),
    ):
        yield server


def connect(*options: str, api_key: str = SIMULATED_API_KEY) -> None:
    ran("connect_provider", "--type", "elevenlabs", "--name", "Agency", "--api-key-stdin", *options, stdin=api_key)


def truth_of(workspace: EditedWorkspace) -> Rows:
    rows = workspace.rows(workspace.first_day, workspace.today + timedelta(days=1))
    return rows_of(rows, currency=workspace.currency)


@pytest.mark.parametrize("mode", ["credits", "cost", "moved", "moved, end reaches", "empty"])
def test_commands_connect_sync_and_export_each_billing(mode: str) -> None:
    """Totals and every row of `export_usage` equal the workspace's own, and a second sync writes nothing."""
    middle = datetime.now(UTC).date() - timedelta(days=20)
    options: dict[str, dict[str, Any]] = {
        "credits": {"billing": Credits()},
        "cost": {"billing": Cost()},
        "moved": {"billing": Moved(middle)},
        "moved, end reaches": {"billing": Moved(middle, end_reaches=True)},
        "empty": {},
    }
    with to_connect(**options[mode]) as server:
        workspace = server.current_workspace()
        if mode == "empty":
            workspace.edits.add(Hide())

        connect()
        first = ran("sync_provider", "Agency")
        again = ran("sync_provider", "Agency")

        rows = parsed(ran("export_usage"))
        assert rows == truth_of(workspace)
        assert totals_of(rows) == known_totals(workspace.rows(workspace.first_day, workspace.today + timedelta(days=1)))
        assert f"Agency: {len(rows)} rows read, {len(rows)} inserted, 0 changed, 0 unchanged" in first
        assert " 0 inserted, 0 changed" in again


def test_commands_connect_a_residency_at_its_own_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """The region's host is called and no other; a key of elsewhere is refused there."""
    workspace = EditedWorkspace(datetime.now(UTC).date(), history_days=10)
    with ExitStack() as stack:
        elsewhere = stack.enter_context(to_connect())
        europe = stack.enter_context(FaultySimulator(workspace, keys=keys_of("eu")))
        stack.enter_context(override_settings(SYNC_BACKFILL_DAYS=11))
        monkeypatch.setitem(hosts._HOSTS, "eu", ("EU residency", europe.base_url))

        command = ("connect_provider", "--type", "elevenlabs", "--name", "Agency", "--region", "eu", "--api-key-stdin")
        sentence = refused(*command, code=1, stdin=SIMULATED_API_KEY)
        ran(*command, stdin=key_of("eu"))
        ran("sync_provider", "Agency")

        assert "data residency" in sentence
        assert parsed(ran("export_usage")) == truth_of(workspace)
        assert elsewhere.requests == []


def test_restricted_key_is_connected_with_account_totals_only_when_asked_to() -> None:
    """The permission is named first; chosen knowingly, the account's totals per model are exact."""
    with to_connect() as server:
        command = ("connect_provider", "--type", "elevenlabs", "--name", "Agency", "--api-key-stdin")
        sentence = refused(*command, code=1, stdin=RESTRICTED_API_KEY)
        connect("--account-totals", api_key=RESTRICTED_API_KEY)
        ran("sync_provider", "Agency")

        workspace = server.current_workspace()
        assert "workspace_analytics_full_read" in sentence
        rows = parsed(ran("export_usage"))
        assert rows == account_totals_of(workspace, workspace.first_day, workspace.today)
        assert Project.objects.get(external_id=Project.ACCOUNT_ID).kind == Project.Kind.ACCOUNT

"""manage.py export_everything: whole, of one moment, readable by its owner alone, and without a secret."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
import zipfile
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from accounts.models import Role
from accounts.services.inviting import invite
from administrate import data_export
from administrate.data_export import files
from alerts.models import Endpoint, Preferences, RuleSetting, Severity, Subscription
from alerts.services.endpoints import add_endpoint
from alerts.services.raising import News, raise_alert
from core.audit import audit_event
from core.secrets import ApiKey, encrypt
from costs.models import Restatement
from costs.statements.closing import close_month
from providers.models import Project, Provider
from tests.alerts.worlds import make_budget
from tests.factories import (
    API_KEY,
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_episode,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_rule,
    make_run,
    make_split,
    make_usage,
    make_user,
)
from tests.providers.commands import ran, run

pytestmark = pytest.mark.django_db

MONTH = date(2026, 10, 1)


@pytest.fixture
def stored() -> Provider:
    """Something of everything, secrets included."""
    acme, globex = make_company(name="=Acme", notes='Two\nlines, “quoted"'), make_company(name="Globex")
    provider = make_provider(name="Production", history_from=MONTH)
    key = make_project(provider=provider, name="Hotline", hint="a91f")
    make_assignment(project=key, company=acme)
    make_split(project=key, shares={acme: 60, globex: 40}, starts_on=TODAY)
    make_assignment(project=make_keyless(provider=provider), company=None)
    make_usage(project=key, day=MONTH, cost=Decimal("1.25"))
    make_usage(project=key, day=TODAY, cost=Decimal("0.10"))
    make_read_days(provider=provider, first=MONTH, last=TODAY)
    close_month(month=MONTH, now=NOW)
    ended = make_run(provider=provider, outcome="succeeded", finished_at=NOW)
    Restatement.objects.create(project=key, day=MONTH, run=ended, restated_at=NOW, cost_after=Decimal(2))
    make_rule(company=acme)
    anna = make_user(username="anna", role=Role.COMPANY_VIEWER, companies=[acme], email="anna@example.com")
    Authenticator.objects.create(user=anna, type=Authenticator.Type.TOTP, data={"secret": encrypt(ApiKey(API_KEY))})
    invite(role=Role.VIEWER, companies=[], email="", invited_by=anna, now=NOW)
    make_budget("500", company=acme, percents=[80])
    raise_alert(
        News(key="1", kind="test", severity=Severity.WARNING, title="Look", sentences=("A.",), path="/"), now=NOW
    )
    make_episode(company=acme, feedback="planned")
    RuleSetting.objects.create(slug="spend.unusual", limit=25)
    Preferences.objects.create(user=anna, quiet_from=time(22), quiet_until=time(7))
    Subscription.objects.create(user=anna, company=acme, minimum=Subscription.NEVER)
    add_endpoint(url="https://93.184.216.34/hooks/T0PSECRET")
    audit_event("company.changed", acme, actor=anna, old={"name": "A"}, new={"name": "B", "token": API_KEY})
    return provider


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def folder(stored: Provider, tmp_path: Path) -> Path:
    ran("export_everything", "--output", str(tmp_path / "out"))
    return tmp_path / "out"


def test_every_kind_has_its_file(folder: Path) -> None:
    """And the manifest counts what is in each, with its digest."""
    manifest = json.loads((folder / "manifest.json").read_text())

    assert {path.name for path in folder.iterdir()} == {*files(), "manifest.json"}
    assert [entry["file"] for entry in manifest["files"]] == list(files())
    for entry in manifest["files"]:
        content = (folder / entry["file"]).read_bytes()
        assert entry["rows"] == len(rows(folder, entry["file"])), entry["file"]
        assert entry["rows"] > 0, entry["file"]
        assert (entry["bytes"], entry["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_rows_say_what_is_stored(folder: Path, stored: Provider) -> None:
    """Exact, unknown is empty, text is inert in spreadsheets."""
    assert [row["cost"] for row in rows(folder, "usage.csv")] == ["1.25", "0.06", "0.04"]
    assert rows(folder, "companies.csv")[0]["name"] == "'=Acme"
    assert rows(folder, "companies.csv")[0]["notes"] == 'Two\nlines, “quoted"'
    assert [(row["starts_on"], row["company"], row["percent"]) for row in rows(folder, "assignments.csv")] == [
        ("", "'=Acme", "100"),
        (TODAY.isoformat(), "'=Acme", "60"),
        (TODAY.isoformat(), "Globex", "40"),
        ("", "", ""),
    ]
    assert rows(folder, "providers.csv")[0]["name"] == "Production"
    assert [row["project_id"] == "" for row in rows(folder, "projects.csv")] == [False, True]
    assert [(row["statement"], row["cost"], row["status"]) for row in rows(folder, "statements.csv")] == [
        ("2026-10", "1.25", "closed")
    ]
    assert rows(folder, "sync_runs.csv")[0]["outcome"] == "succeeded"
    assert rows(folder, "restatements.csv")[0]["cost_after"] == "2"
    assert rows(folder, "rules.csv")[0]["pattern"] == "acme"
    member = next(row for row in rows(folder, "members.csv") if row["username"] == "anna")
    assert (member["role"], member["companies"], member["has_two_factor"]) == ("company_viewer", "'=Acme", "true")
    assert rows(folder, "audit.csv")[-1]["actor"] == "anna"


def test_what_is_watched_and_who_is_told_is_in_it(folder: Path) -> None:
    """Of webhooks no more than pages show."""
    (budget,), (alert,), (episode,) = (
        rows(folder, f"{name}.csv") for name in ("budgets", "alerts", "unusual_spending")
    )
    assert (budget["of"], budget["subject"], budget["amount"]) == ("company", "'=Acme", "500")
    assert budget["thresholds"] == "actual 80 %"
    assert (alert["title"], alert["severity"], alert["raised_at"]) == ("Look", "warning", NOW.isoformat())
    assert (episode["first_day"], episode["actual"], episode["feedback"]) == ("2026-11-21", "60", "planned")
    assert rows(folder, "watching.csv") == [{"rule": "spend.unusual", "is_on": "true", "limit": "25"}]
    (preferences,) = rows(folder, "notifications.csv")
    assert (preferences["username"], preferences["quiet_from"]) == ("anna", "22:00:00")
    assert rows(folder, "subscriptions.csv") == [{"username": "anna", "company": "'=Acme", "from": "nothing"}]
    (webhook,) = rows(folder, "webhooks.csv")
    assert (webhook["kind"], webhook["host"], webhook["from"]) == ("webhook", "93.184.216.34", "info")


def test_no_secret_is_in_it(folder: Path, stored: Provider) -> None:
    """No key, nor what is made of one; no hash of a password, no second factor, no invitation."""
    everything_written = b"".join(path.read_bytes() for path in folder.iterdir()).decode()
    user = User.objects.get(username="anna")
    secrets = [
        API_KEY,
        API_KEY[:20],
        stored.encrypted_key,
        stored.key_fingerprint,
        user.password,
        user.password.rpartition("$")[2],
        Authenticator.objects.get().data["secret"],
        *user._meta.apps.get_model("accounts", "Invitation").objects.values_list("token_digest", flat=True),
        "T0PSECRET",
        *Endpoint.objects.values_list("encrypted_url", "encrypted_secret").get(),
        *Endpoint.objects.get().signing_secrets(NOW),
    ]

    assert len(secrets) == 12
    for secret in secrets:
        assert secret
        assert secret not in everything_written


def test_zip_holds_the_same(stored: Provider, tmp_path: Path, now: object) -> None:
    """In one file, which takes the place of an older one."""
    target = tmp_path / "export.ZIP"
    target.write_text("older")
    ran("export_everything", "--output", str(tmp_path / "out"))
    written = ran("export_everything", "--output", str(target))

    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [*files(), "manifest.json"]
        assert archive.getinfo("usage.csv").date_time == NOW.timetuple()[:6]
        for name in archive.namelist():
            assert archive.read(name) == (tmp_path / "out" / name).read_bytes()
    assert "usage.csv: 3 rows" in written


def test_zip_can_be_piped(
    stored: Provider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Out of a container that can write nowhere; what is said about it goes to standard error."""
    pipe = Pipe()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BufferedWriter(pipe)))

    call_command("export_everything", "--output", "-", "--skip-checks")

    with zipfile.ZipFile(io.BytesIO(bytes(pipe.written))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [*files(), "manifest.json"]
        assert archive.read("usage.csv").count(b"\n") == 4
    assert "usage.csv: 3 rows" in capsys.readouterr().err


class Pipe(io.RawIOBase):
    """Takes bytes and can't go back."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self.written += data
        return len(data)


def test_only_the_owner_can_read_it(stored: Provider, tmp_path: Path) -> None:
    """It holds people's names and what clients pay."""
    for name in ("out", "out.zip"):
        ran("export_everything", "--output", str(tmp_path / name))

    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path, *tmp_path.rglob("*")) if path != tmp_path}
    assert set(modes.values()) == {0}


def test_empty_installation_is_exported_too(tmp_path: Path) -> None:
    """Headings alone."""
    ran("export_everything", "--output", str(tmp_path / "out"))

    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert {entry["rows"] for entry in manifest["files"]} == {0}
    assert (tmp_path / "out" / "statements.csv").read_text().startswith("company,statement,")


@pytest.mark.parametrize("name", ["full", "file", "folder.zip"])
def test_what_is_there_is_not_overwritten(tmp_path: Path, name: str) -> None:
    """A folder that holds something, a file in the folder's place, a folder in the zip's."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder.zip").mkdir()
    before = sorted(tmp_path.rglob("*"))

    code, _output, error = run("export_everything", "--output", str(tmp_path / name))

    assert code == 2
    assert "something else is there already" in error
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "file").read_text() == "mine"


def test_empty_folder_is_filled(tmp_path: Path) -> None:
    """A mounted one, say."""
    (tmp_path / "out").mkdir()

    ran("export_everything", "--output", str(tmp_path / "out"))

    assert (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_failure_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Neither under the name nor beside it."""

    def fail() -> Any:
        yield "a,b\n"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(data_export, "_members", fail)

    code, _output, error = run("export_everything", "--output", str(tmp_path / name))

    assert (code, error) == (1, f"Error: {tmp_path / name} can't be written: No space left on device.\n")
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """In one line."""
    code, _output, error = run("export_everything", "--output", str(tmp_path / "no" / "out"))

    assert code == 1
    assert error.endswith("can't be written: No such file or directory.\n")


@pytest.mark.django_db(transaction=True)
def test_everything_is_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stored meanwhile is in none of the files, and whoever stores it does not wait."""
    make_provider(name="Before")
    wanted = dict(files())

    def store_meanwhile() -> Any:
        def store() -> None:
            make_provider(name="Meanwhile")
            connection.close()

        yield from wanted["companies.csv"]()
        thread = threading.Thread(target=store)
        thread.start()
        thread.join(timeout=15)
        assert not thread.is_alive()

    monkeypatch.setattr(data_export, "files", lambda: wanted | {"companies.csv": store_meanwhile})

    ran("export_everything", "--output", str(tmp_path / "out"))

    assert Provider.objects.count() == 2
    assert [row["name"] for row in rows(tmp_path / "out", "providers.csv")] == ["Before"]
    assert not connection.in_atomic_block
    assert Project.objects.count() == 0

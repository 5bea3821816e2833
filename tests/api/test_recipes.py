"""docs/api.md beyond its curl and Python: command, bodies, addresses and recipes, as they are written there."""

from __future__ import annotations

import io
import json
import re
import shlex
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import Role
from api.services import find_token
from core.audit import audit_event, registered_labels
from costs.usage.writing import Usage, write_usage
from providers.models import Project, Provider
from providers.services.queueing import request_manual_sync
from providers.services.sharing import set_keyless_sharing
from tests.api.asking import Api, make_token
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_user,
)
from tests.services.product import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]

TEXT = (ROOT / "docs" / "api.md").read_text()


@pytest.fixture
def api() -> Api:
    return Api(make_token())


def test_token_is_made_as_written() -> None:
    """The line for the shell, word for word."""
    make_user(username="anna", role=Role.VIEWER)
    (line,) = re.findall(r"^manage\.py (create_api_token .*)$", TEXT, re.MULTILINE)
    printed = io.StringIO()

    call_command(*shlex.split(line), stdout=printed, stderr=io.StringIO())

    assert find_token(text=printed.getvalue().strip(), now=NOW) is not None


def test_body_for_assigning_is_taken(api: Api) -> None:
    """But for the ids."""
    (written,) = re.findall(r'^\{"assignments".*$', TEXT, re.MULTILINE)
    body = json.loads(written)
    (line,) = body["assignments"]
    line["project"] = make_project().pk
    for share in line["shares"]:
        share["company"] = make_company().pk

    assert api.post("/assignments", body).status_code == 201


def test_every_address_that_is_written_answers(api: Api) -> None:
    """With its parameters; ids and ellipses are examples."""
    whole = set(re.findall(r"https://…/api/v1(/[^\s`\"]+)", TEXT))
    named = {path.replace("<the last id you have>", "1") for path in re.findall(r"`GET (/[^`]*)`", TEXT)}

    answers = {path: api.get(path).status_code for path in whole | named}

    assert len(answers) > 4
    assert set(answers.values()) == {200}, answers


def test_acts_that_move_figures_are_called_as_written() -> None:
    """By the names that the audit log has for them."""
    (recipe,) = re.findall(r"\*\*A mirror in a warehouse\.\*\*(.*?)\n## ", TEXT, re.DOTALL)
    acts = set(re.findall(r"`(\w+\.\w+)`", recipe))

    assert acts == WHOLE | FROM_A_DAY | {"sync.requested"}
    assert acts <= set(registered_labels())


# --- A mirror in a warehouse ------------------------------------------------------------------------------------------

FROM_A_DAY = {"keys.assigned", "rule.applied"}
WHOLE = {
    "assignment.undone",
    "provider.agents_changed",
    "provider.connected",
    "provider.credit_rate_changed",
    "provider.deleted",
    "provider.sharing_changed",
}


@dataclass
class Mirror:
    """A warehouse that is kept as docs/api.md says, and asks for nothing else."""

    api: Api
    days: dict[str, list[Any]] = field(default_factory=dict)
    changes_from: str | None = None
    restatement: int = 0
    act: int = 0

    def follow(self) -> None:
        """What a day's work is; the first time it loads all."""
        fresh = self.api.get("/costs", limit=1).json()
        restated, acts = list(self._later("/restatements", self.restatement)), list(self._later("/audit", self.act))
        concerned = [entry for entry in acts if entry["action"] in FROM_A_DAY or _names_days(entry)]
        beginnings = [self.changes_from, *(entry["new"].get("from") for entry in concerned)]
        if not self.days or any(entry["action"] in WHOLE for entry in acts) or None in beginnings:
            self._load()
        else:
            self._load({"from": min(beginnings)})
            for day in {entry["day"] for entry in restated}:
                self._load({"from": day, "to": day})
        self.changes_from = fresh["provisional_from"] or fresh["data_through"]
        self.restatement = max([self.restatement, *(entry["id"] for entry in restated)])
        self.act = max([self.act, *(entry["id"] for entry in acts)])

    def _load(self, asked: dict[str, str] | None = None) -> None:
        asked = asked or {}
        first, last = asked.get("from", ""), asked.get("to", "9999")
        lines = defaultdict(list)
        for line in ndjson(self.api, asked):
            lines[line["day"]].append(line)
        self.days = {day: kept for day, kept in self.days.items() if not first <= day <= last} | lines

    def _later(self, path: str, after: int) -> Iterator[dict[str, Any]]:
        for page in self.api.pages(path, **({"after": after} if after else {})):
            yield from page["data"]


def _names_days(entry: dict[str, Any]) -> bool:
    return entry["action"] == "sync.requested" and "from" in entry["new"]


def ndjson(api: Api, asked: dict[str, str]) -> list[dict[str, Any]]:
    answer = api.get(
        "/costs", {"group_by": "day,company,project,model", **asked}, headers={"Accept": "application/x-ndjson"}
    )
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.getvalue().decode().splitlines()]


def usage(project: Project, day: date, cost: str) -> Usage:
    return Usage(
        project_id=project.pk,
        day=day,
        model="m",
        credits=Decimal(cost) * 100,
        minutes=None,
        requests=1,
        cost=Decimal(cost),
        currency="usd",
    )


class Story:
    """A provider whose key is Acme's, with keyless usage beside it, and a mirror that looks after each act."""

    def __init__(self, api: Api) -> None:
        self.api, self.mirror = api, Mirror(api)
        self.provider = make_provider(history_from=date(2026, 10, 1))
        self.key, self.keyless = make_project(provider=self.provider), make_keyless(provider=self.provider)
        make_assignment(project=self.key, company=make_company())
        self.synced()
        self.mirror.follow()

    def synced(self, first: date = date(2026, 10, 1), last: date = TODAY, *, after: int = 0, **costs: str) -> None:
        """So many days after the first time, with the figures of some days changed since."""
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        rows = [usage(one, day, costs.get(f"on_{day:%m%d}", "1")) for day in days for one in (self.key, self.keyless)]
        read_at = NOW + timedelta(days=after)
        write_usage(provider=self.provider, first=first, last=last, rows=rows, read_at=read_at)

    def days_change(self) -> None:
        """One that was provisional, and one that had settled."""
        self.synced(after=1, on_1120="2.5", on_1003="7")

    def key_moves(self) -> None:
        body = {"project": self.key.pk, "from": "2026-10-20", "shares": [{"company": make_company().pk}]}
        assert self.api.post("/assignments", {"assignments": [body]}).status_code == 201

    def keyless_usage_is_shared(self) -> None:
        set_keyless_sharing(provider=self.provider, sharing=Provider.KeylessSharing.EVENLY)

    def older_days_are_read(self) -> None:
        request_manual_sync(provider=self.provider, now=NOW, first=date(2026, 9, 1), last=date(2026, 9, 3))
        self.synced(date(2026, 9, 1), date(2026, 9, 3))

    def another_is_connected(self) -> None:
        self.provider = make_provider(history_from=date(2026, 10, 1))
        self.key, self.keyless = make_project(provider=self.provider), make_keyless(provider=self.provider)
        audit_event("provider.connected", self.provider)
        self.synced()


@pytest.mark.parametrize(
    "act",
    [
        Story.days_change,
        Story.key_moves,
        Story.keyless_usage_is_shared,
        Story.older_days_are_read,
        Story.another_is_connected,
    ],
    ids=lambda act: act.__name__,
)
def test_mirror_that_is_kept_as_written_holds_what_a_whole_load_does(api: Api, act: Callable[[Story], None]) -> None:
    """Whatever happened since it was loaded."""
    story = Story(api)
    loaded = ndjson(api, {})

    act(story)
    story.mirror.follow()

    held = [line for day in sorted(story.mirror.days) for line in story.mirror.days[day]]
    assert held == ndjson(api, {}) != loaded

"""Everything that readers and programs get of one rich installation, written to the file that WALK names.

test_both_engines.py runs this once for each engine, in processes of their own, and compares what they wrote.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.test import Client
from django.urls import resolve

from accounts.models import Role
from administrate.demo import arrange_examples
from alerts.evaluation.evaluating import evaluate_if_asked
from costs.usage.totals import add_up
from providers.models import Company, Project, SyncRun
from tests.api.asking import Api, make_token
from tests.costs.pages.downloads_world import make_world
from tests.factories import NOW, TODAY, make_episode, make_restatement, make_run, make_user
from tests.pages import content_of
from tests.simulated_world import make_simulated

Kind = tuple[str, frozenset[str]]

# Of the addresses that differ in their values alone – another day, another company – so many are asked for, and such
# as look at a page in one way at a time.
OF_A_KIND = 2
# What is made anew with each answer, each request or each password.
FRESH = re.compile(r'name="csrfmiddlewaretoken" value="\w+"|nonce="[^"]*"|\b[0-9a-f]{16}\b|adm_\w{8}')
# Secrets for setting something up, the name of the database, and lists whose order nobody has chosen.
LEFT_OUT = re.compile(r"/settings/(about|security/)|/admin/auth/user/\d|/admin/.*/delete/")
MONTH = {"from": TODAY.replace(day=1).isoformat(), "to": TODAY.isoformat()}
GROUPS = ("company", "project", "model", "provider", "day", "month", "company,provider,month", "project,model,day")


@pytest.mark.django_db
@pytest.mark.usefixtures("now", "elevenlabs")
def test_write_what_is_answered() -> None:
    make_installation()
    companies = list(Company.objects.order_by("pk")[:2])
    people = {
        "admin": make_user(username="admin", role=Role.ADMIN),
        "client": make_user(username="client", role=Role.COMPANY_VIEWER, companies=companies),
    }
    found: dict[str, str] = {}
    for who, user in people.items():
        client = Client()
        client.force_login(user)
        found |= {f"{who} {address}": text for address, text in pages(client)}
        found |= {f"{who} {address}": text for address, text in answers(Api(make_token(user=user)))}

    Path(os.environ["WALK"]).write_text(json.dumps(found, indent=0))


def make_installation() -> None:
    """The demo's examples, two workspaces whose amounts and names are awkward, and something to tell of each."""
    make_simulated(now=NOW)
    arrange_examples(now=NOW)
    add_up()  # of these days totals are read, of those that follow the sums by provider
    world = make_world()
    make_run(provider=world.production, outcome=SyncRun.Outcome.SUCCEEDED, finished_at=NOW)
    make_restatement(project=Project.objects.filter(provider=world.production).earliest("pk"))
    make_episode(company=world.acme)
    evaluate_if_asked(now=NOW)


def pages(client: Client) -> Iterator[tuple[str, str]]:
    """Each page and file that links lead to, and what it says."""
    wanted, seen, kinds = ["/"], {"/"}, Counter[Kind]()
    for address in wanted:
        response = client.get(address, follow=True)
        text = FRESH.sub("", content_of(response))
        yield address, f"{response.status_code} {text}"
        if not response["Content-Type"].startswith("text/html"):
            continue
        for link in re.findall(r'<a\b[^>]*?\shref="([^"]+)"', text):
            to = urljoin(address, unescape(link)).partition("#")[0]
            if to in seen or not to.startswith("/") or to.startswith("/static/") or LEFT_OUT.match(to):
                continue
            seen.add(to)
            page, asked = kind_of(to)
            kinds[page, asked] += 1
            if len(asked) <= 1 and kinds[page, asked] <= OF_A_KIND:
                wanted.append(to)


def kind_of(address: str) -> Kind:
    """Which page, and how it is looked at; days are one way, and what a page is about is none."""
    parts = urlsplit(address)
    asked = {name for name, _value in parse_qsl(parts.query, keep_blank_values=True)}
    return resolve(parts.path).view_name, frozenset(asked - {"to", "company", "model"})


def answers(api: Api) -> Iterator[tuple[str, str]]:
    """What programs are told: every list, and costs by everything."""
    operations = api.get("/openapi.json").json()["paths"]
    for path, methods in operations.items():
        if "get" in methods and "{" not in path:
            answer = api.get(path.removeprefix("/api/v1"), MONTH if path.endswith("/costs") else {})
            # PostgreSQL keeps the members of what it stores as JSON in an order of its own.
            yield path, FRESH.sub("", json.dumps(answer.json(), sort_keys=True))
    for group in GROUPS:
        for accept in ("application/json", "text/csv"):
            answer = api.get("/costs", MONTH | {"group_by": group}, headers={"Accept": accept})
            yield f"/costs by {group} as {accept}", content_of(answer)

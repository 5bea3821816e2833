"""Settings → Audit log: what it says, how it is filtered, and the same as CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from accounts.audit.labels import act, changes
from accounts.audit.models import AuditEntry
from tests.factories import NOW
from tests.pages import rows_under

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

URL = "/settings/audit/"


def make_entry(action: str = "company.created", **overrides: Any) -> AuditEntry:
    fields: dict[str, Any] = {"at": NOW, "actor_name": "anna", "target_type": "company", "target_name": "Acme"}
    return AuditEntry.objects.create(action=action, **(fields | overrides))


def shown(client: Client, query: str = "") -> list[str]:
    """The targets of the entries that the page shows, in its order."""
    return targets(client.get(f"{URL}{query}").content.decode())


def targets(page: str) -> list[str]:
    """What stands below each act, in the order of the rows."""
    heads = re.findall(r'<th scope="row">[^<]*<span class="sub"><bdi>(.*?)</bdi>', page)
    return [unescape(target) for target in heads]


# --- What it says -----------------------------------------------------------------------------------------------------


def test_nothing_yet(signed_in: Client) -> None:
    """Which is not the same as no entry that matches."""
    assertContains(signed_in.get(URL), "Nothing yet.")
    assertContains(signed_in.get(f"{URL}?target=x"), "No entries match.")


def test_newest_first_with_all_that_one_wants_to_know(signed_in: Client) -> None:
    """When, who, from where, what to whom, and what it was before."""
    make_entry(target_name="Earlier", at=NOW - timedelta(seconds=1))
    make_entry("provider.renamed", target_name="New", address="198.51.100.7", old={"name": "Old"}, new={"name": "New"})

    page = signed_in.get(URL).content.decode()

    assert rows_under(page, "When (UTC)")[0] == (
        "22 Nov 2026 12:30:00",
        "anna 198.51.100.7",
        "Provider renamed New",
        "Name: Old → New",
    )
    assert targets(page) == ["New", "Earlier"]
    assert "1–2 of 2" in page


def test_names_from_outside_are_text(signed_in: Client) -> None:
    """Whatever somebody called a key."""
    make_entry(target_name="<script>x</script>", new={"<b>": "<i>y</i>"}, actor_name="<u>")

    response = signed_in.get(f"{URL}?target=<script>&actor=<u>")

    assertNotContains(response, "<script>x")
    assertNotContains(response, "<i>y")
    assertNotContains(response, "<u>")


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ({"name": "A"}, {"name": "B"}, ["Name: A → B"]),
        ({}, {"name": "B"}, ["Name: B"]),
        ({"name": "A"}, {}, ["Name: A"]),
        ({"role": "Viewer"}, {"role": "Viewer", "companies": ["X", "Y"]}, ["Companies: — → X, Y", "Role: Viewer"]),
        ({"markup_percent": None}, {"markup_percent": "12.5"}, ["Mark-up in percent: — → 12.5"]),
        ({"archived": False}, {"archived": True}, ["Archived: no → yes"]),
        ({"key_ending": "a91f"}, {"key_ending": ""}, ["Key: ··a91f → —"]),
        (
            {"keyless_sharing": "none"},
            {"keyless_sharing": "evenly"},
            ["Usage without an API key: Left unassigned → Shared evenly"],
        ),
        ({}, {"cost": {"usd": "1.25", "eur": "2"}}, ["Cost: 2 EUR, 1.25 USD"]),
        ({}, {"by": ["password", "totp"]}, ["With: password, authenticator app"]),
        (
            {"number": 1, "keys": ["K"], "companies": []},
            {"number": 1, "keys": ["K"], "companies": ["Acme"], "from": None},
            ["API keys: K", "Companies: — → Acme", "From: all history"],
        ),
        (
            {"number": 30, "keys": [f"K{n}" for n in range(20)]},
            {"number": 30, "keys": [f"K{n}" for n in range(20)]},
            ["API keys: K0, K1, K2, K3, K4 and 15 more", "API keys in total: 30"],
        ),
    ],
)
def test_changes_in_plain_words(old: dict[str, Any], new: dict[str, Any], lines: list[str]) -> None:
    """Old → new where there are both, a value once where it is the same, and always in the same order."""
    assert [str(change) for change in changes(AuditEntry(old=old, new=new))] == lines


def test_act_without_words_has_its_own() -> None:
    """An entry of another release is still readable."""
    assert act("api_token.made") == "Api token made"


# --- Filters ----------------------------------------------------------------------------------------------------------


def test_every_filter_narrows(signed_in: Client) -> None:
    """And all of them together; the URL says which."""
    make_entry("provider.renamed", target_name="Production", actor_name="anna", at=datetime(2026, 11, 1, tzinfo=UTC))
    make_entry(
        "session.signed_in", target_name="berta", actor_name="berta", at=datetime(2026, 11, 9, 23, 59, 59, 5, UTC)
    )
    make_entry("two_factor.reset", target_name="anna", actor_name="berta", request_id="abc-12345")

    assert shown(signed_in) == ["anna", "berta", "Production"]
    assert shown(signed_in, "?group=security") == ["anna", "berta"]
    assert shown(signed_in, "?actor=anna") == ["Production"]
    assert shown(signed_in, "?target=PROD") == ["Production"]
    assert shown(signed_in, "?target=abc-12345") == ["anna"]
    assert shown(signed_in, "?from=2026-11-09") == ["anna", "berta"]
    assert shown(signed_in, "?to=2026-11-09") == ["berta", "Production"]
    assert shown(signed_in, "?group=security&actor=berta&from=2026-11-01&to=2026-11-09") == ["berta"]


def test_who_acted_can_be_chosen(signed_in: Client) -> None:
    """Also who was removed, and what was no person; an address with another name still works."""
    for name in ("berta", "anna", "anna", "Command line"):
        make_entry(actor_name=name)

    choices = signed_in.get(f"{URL}?actor=nobody").context["form"].fields["actor"].widget.choices

    assert [value for value, _label in choices] == ["", "nobody", "Command line", "anna", "berta"]


def test_percent_signs_are_no_wildcards(signed_in: Client) -> None:
    """What is searched for is text."""
    make_entry(target_name="10 %")
    make_entry(target_name="10")

    assert shown(signed_in, "?target=0+%25") == ["10 %"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?group=zzz", "Choose what to show from the list."),
        ("?from=yesterday", "The date can't be read. Write it as YYYY-MM-DD."),
        ("?to=2026-02-30", "The date can't be read. Write it as YYYY-MM-DD."),
        ("?from=2026-11-02&to=2026-11-01", "The range ends (1 Nov 2026) before it begins (2 Nov 2026)."),
        ("?actor=" + "x" * 1000, "No username is that long."),
        ("?target=" + "x" * 1000, "Search for at most 200 characters."),
        ("?target=%00", "Null characters are not allowed."),
        ("?actor=%00", "Null characters are not allowed."),
    ],
)
def test_hostile_filters_are_refused_with_a_sentence(signed_in: Client, query: str, sentence: str) -> None:
    """And the rest of the page stands; a file is not made of them."""
    make_entry()

    response = signed_in.get(f"{URL}{query}")
    as_file = signed_in.get(f"{URL}{query}&csv=audit")

    assert response.status_code == as_file.status_code == 422
    assert sentence in unescape(response.content.decode())
    assert len(targets(response.content.decode())) == 1


@pytest.mark.parametrize(
    "query", ["?page=-1", "?page=99999999999", "?page=x", "?from=0001-01-01&to=9999-12-31", "?csv=x"]
)
def test_odd_but_usable_queries_show_the_entries(signed_in: Client, query: str) -> None:
    """The nearest page, the widest range, no such file."""
    make_entry()

    assert shown(signed_in, query) == ["Acme"]


# --- Pages ------------------------------------------------------------------------------------------------------------


def test_fifty_a_page(signed_in: Client) -> None:
    """With the filters in the links."""
    for number in range(132):
        make_entry(target_name=f"{number}", at=NOW - timedelta(seconds=number))

    first, last = signed_in.get(f"{URL}?actor=anna"), signed_in.get(f"{URL}?actor=anna&page=3")

    assertContains(first, "1–50 of 132")
    assertContains(first, "?actor=anna&amp;page=2")
    assert targets(last.content.decode())[-1] == "131"


@pytest.mark.parametrize("entries", [1, 60])
def test_few_questions_to_the_database(
    signed_in: Client, django_assert_max_num_queries: Callable[..., AbstractContextManager[object]], entries: int
) -> None:
    """However many entries there are."""
    for _ in range(entries):
        make_entry()

    with django_assert_max_num_queries(5):
        signed_in.get(f"{URL}?group=companies&target=a")


# --- As CSV -----------------------------------------------------------------------------------------------------------


def records(client: Client, query: str) -> list[dict[str, str]]:
    text = client.get(f"{URL}{query}").getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_is_this_view(signed_in: Client) -> None:
    """Filtered like the page, all of its pages, exact, and inert in spreadsheets."""
    make_entry("provider.renamed", target_name="=HYPERLINK(1)", target_id=7, old={"name": "Ä"}, new={"name": "B"})
    for _ in range(60):
        make_entry(at=NOW - timedelta(days=1))
    make_entry("session.signed_in", actor_name="berta")

    rows = records(signed_in, "?actor=anna&csv=audit")

    assert len(rows) == 61
    assert rows[0] == {
        "at": "2026-11-22T12:30:00+00:00",
        "actor": "anna",
        "address": "",
        "request_id": "",
        "action": "provider.renamed",
        "target_type": "company",
        "target_id": "7",
        "target": "'=HYPERLINK(1)",
        "old": '{"name": "Ä"}',
        "new": '{"name": "B"}',
    }
    assert json.loads(rows[0]["new"]) == {"name": "B"}


def test_csv_is_named_after_its_filters_and_holds_its_own_entry(signed_in: Client) -> None:
    """The filters stand in the log as well."""
    response = signed_in.get(f"{URL}?group=exports&from=2026-11-01&csv=audit")

    assert 'filename="administrate-audit-log-exports-2026-11-01.csv"' in response["Content-Disposition"]
    made = AuditEntry.objects.get()
    assert (made.action, made.new) == ("audit.exported", {"group": "exports", "from": "2026-11-01"})
    rows = records(signed_in, "?group=exports&csv=audit")
    assert [row["target"] for row in rows] == [
        "administrate-audit-log-exports.csv",
        "administrate-audit-log-exports-2026-11-01.csv",
    ]

"""The page of one company: what it spent, where that comes from, and which keys belong to it when."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role
from providers.models import Assignment, Company, Provider
from providers.signals import notify_sharing_changed
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_split,
    make_usage,
    make_user,
)
from tests.pages import cells, download, figure, page_of, text_of

pytestmark = pytest.mark.any_engine


def make_read_provider(**overrides: Any) -> Provider:
    provider = make_provider(**overrides)
    make_read_days(provider=provider, first=TODAY - timedelta(days=90), last=TODAY)
    return provider


def page(client: Client, company: Company, query: str = "") -> str:
    return page_of(client, f"{company.get_absolute_url()}{query}")


def assignments(client: Client, company: Company) -> list[tuple[str, ...]]:
    """The rows of the table, as its file has them: key, part, from, until, assigned."""
    rows = download(client, f"{company.get_absolute_url()}?csv=assignments")
    return [tuple(row[name] for name in ("API key", "Part (%)", "From", "Until", "Assigned")) for row in rows]


def make_used(acme: Company) -> None:
    """Two keys of Acme with a model each, and one that is not theirs."""
    provider = make_read_provider(name="Production", model_names={"tts": "Text to speech"})
    for name, model, cost in (("Support", "tts", 3), ("Sales", "stt", 1)):
        key = make_project(provider=provider, name=name)
        make_assignment(project=key, company=acme)
        make_usage(project=key, model=model, cost=Decimal(cost))
    make_usage(project=make_project(provider=provider, name="Not theirs"), cost=Decimal(50))


def test_a_company_is_seen_by_model_key_and_day(signed_in: Client) -> None:
    """Three views of the same sum."""
    acme = make_company(name="Acme")
    make_used(acme)
    url, names = acme.get_absolute_url(), ("Spend (USD)", "Credits", "Minutes", "Requests")

    by_model = cells(signed_in, f"{url}?csv=models", *names)
    by_key = cells(signed_in, f"{url}?csv=keys", *names)
    by_day = cells(signed_in, f"{url}?csv=days", "Text to speech (USD)", "stt (USD)", "Total (USD)")

    more, less = ("3", "1000", "1.5", "10"), ("1", "1000", "1.5", "10")
    assert list(by_model.items()) == [("Text to speech", more), ("stt", less)]
    assert list(by_key.items()) == [("Support (Production)", more), ("Sales (Production)", less)]
    assert by_day["2026-11-21"] == ("3", "1", "4")


def test_a_companys_page_has_its_figures_and_totals(signed_in: Client) -> None:
    """Of its own keys alone; a young day is called provisional."""
    acme = make_company(name="Acme")
    make_used(acme)

    text = page(signed_in, acme)

    assert "Spend this month $4.00 1–22 Nov 2026" in text
    assert "Credits 2,000 20 requests · 2 API keys today" in text
    assert text.count("Total $4.00 2,000 3.0 20") == 2  # models and keys
    assert "21 Nov 2026 provisional ElevenLabs may still restate this day $3.00 $1.00 $4.00" in text
    assert "Not theirs" not in text


def test_a_key_that_moved_stays_with_its_days(signed_in: Client) -> None:
    """The old company keeps the key in its tables, with what it paid, and the end of its time."""
    key = make_project(provider=make_read_provider(), name="Key")
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    make_assignment(project=key, company=acme)
    make_assignment(project=key, company=globex, starts_on=date(2026, 11, 15))
    for day in (13, 14, 15):
        make_usage(project=key, day=date(2026, 11, day), cost=Decimal(1))

    assert "Spend this month $2.00" in page(signed_in, acme)
    assert "20 requests · 0 API keys today" in page(signed_in, acme)
    assert assignments(signed_in, acme) == [("Key", "100", "The beginning", "2026-11-14", "By hand")]
    assert "Spend this month $1.00" in page(signed_in, globex)
    assert "10 requests · 1 API key today" in page(signed_in, globex)
    assert assignments(signed_in, globex) == [("Key", "100", "2026-11-15", "Now", "By hand")]


def test_assignments_tell_part_days_and_who_decided(signed_in: Client) -> None:
    """By key as people count, then by time; a period to come is there too, and one that ended in nobody's."""
    provider = make_read_provider()
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    tenth, ninth = make_project(provider=provider, name="Key 10"), make_project(provider=provider, name="Key 9")
    make_assignment(project=tenth, company=acme)
    make_split(project=tenth, shares={acme: "33.33", globex: "66.67"}, starts_on=date(2026, 6, 1))
    make_assignment(project=tenth, company=None, starts_on=date(2026, 7, 1))
    make_assignment(project=ninth, company=acme, starts_on=date(2026, 12, 1))
    Assignment.objects.filter(project=ninth).update(source=Assignment.Source.RULE)

    assert assignments(signed_in, acme) == [
        ("Key 9", "100", "2026-12-01", "Now", "By rule"),
        ("Key 10", "100", "The beginning", "2026-05-31", "By hand"),
        ("Key 10", "33.33", "2026-06-01", "2026-06-30", "By hand"),
    ]
    text = page(signed_in, acme)
    assert "0 API keys today" in text
    assert "33.33 % 1 Jun 2026 30 Jun 2026 By hand" in text


def test_a_split_key_counts_by_its_part(signed_in: Client) -> None:
    """And as a key of each: of ten requests two and a half, to the first of equal remainders."""
    key, acme = make_project(provider=make_read_provider(name="Production"), name="Key"), make_company(name="Acme")
    make_split(project=key, shares={acme: 25, make_company(): 75})
    make_usage(project=key, cost=Decimal(8))

    rows = cells(signed_in, f"{acme.get_absolute_url()}?csv=keys", "Spend (USD)", "Credits", "Minutes", "Requests")

    assert rows == {"Key (Production)": ("2", "250", "0.375", "3")}
    assert "1 API key today" in page(signed_in, acme)


def test_shared_usage_without_a_key_is_a_row_of_the_keys(signed_in: Client) -> None:
    """It belongs to the company although nobody assigned it, and has no period of its own."""
    provider, acme = make_read_provider(name="Production", keyless_sharing="evenly"), make_company(name="Acme")
    key = make_project(provider=provider, name="Key", first_used_on=date(2026, 11, 1))
    make_assignment(project=key, company=acme)
    make_usage(project=make_keyless(provider=provider), cost=Decimal(8))
    notify_sharing_changed(provider)

    rows = cells(signed_in, f"{acme.get_absolute_url()}?csv=keys", "Spend (USD)")

    assert rows["No API key (web app) (Production)"] == ("8",)
    assert figure(page(signed_in, acme), "Spend this month", until="1–22 Nov 2026") == "$8.00"
    assert [row[0] for row in assignments(signed_in, acme)] == ["Key"]


def test_keys_of_several_providers_are_told_apart(signed_in: Client) -> None:
    """Same name, other workspace, other currency."""
    acme = make_company(name="Acme")
    for name, currency in (("Production", "usd"), ("Staging", "eur")):
        key = make_project(provider=make_read_provider(name=name, currency=currency), name="Key")
        make_assignment(project=key, company=acme)
        make_usage(project=key, cost=Decimal(2), currency=currency)

    text = page(signed_in, acme)
    rows = {row["API key"]: row for row in download(signed_in, f"{acme.get_absolute_url()}?csv=keys")}

    assert "Spend this month €2.00 $2.00" in text
    assert (rows["Key (Production)"]["Spend (USD)"], rows["Key (Staging)"]["Spend (EUR)"]) == ("2", "2")


def test_days_that_were_not_read_are_those_of_its_own_providers(signed_in: Client) -> None:
    """Another workspace that is late makes no figure of this company unknown."""
    provider, acme = make_read_provider(name="Production"), make_company(name="Acme")
    key = make_project(provider=provider)
    make_assignment(project=key, company=acme)
    make_usage(project=key)
    make_provider(name="Late one", last_synced_at=NOW - timedelta(hours=9))

    text = page(signed_in, acme)

    assert "Late one" not in text
    assert "not been read yet" not in text
    assert "Days of this range" not in text


def test_an_unread_range_is_unknown_and_not_zero(signed_in: Client) -> None:
    """In the figures and in the file."""
    key, acme = make_project(provider=make_read_provider()), make_company(name="Acme")
    make_assignment(project=key, company=acme)

    text = page(signed_in, acme, "?from=2026-01-01&to=2026-01-31")

    assert "Spend 1–31 Jan 2026 — These days have not been read yet" in text
    assert "No usage of 1–31 Jan 2026, UTC has been read yet." in text
    [row] = download(signed_in, f"{acme.get_absolute_url()}?from=2026-01-01&to=2026-01-31&csv=keys")
    assert (row["Spend"], row["Credits"]) == ("", "")


def test_an_archived_company_keeps_its_page(signed_in: Client) -> None:
    """With what it paid."""
    key, acme = make_project(provider=make_read_provider()), make_company(name="Acme", archived_at=NOW)
    make_assignment(project=key, company=acme)
    make_usage(project=key, cost=Decimal(2))

    text = page(signed_in, acme)

    assert "Acme Archived" in text
    assert "Spend this month $2.00" in text


def test_names_are_text(signed_in: Client) -> None:
    """Of the company, its keys, providers and models, and its notes; nothing of them is markup."""
    nasty = "<b>x</b>\"'&"
    acme = make_company(name=nasty, notes=nasty)
    key = make_project(provider=make_read_provider(name=nasty, model_names={"tts": nasty}), name=nasty)
    make_assignment(project=key, company=acme)
    make_usage(project=key, model="tts")

    html = signed_in.get(acme.get_absolute_url()).content.decode()

    assert "<b>x" not in html
    assert html.count("&lt;b&gt;x&lt;/b&gt;") > 10


# Who sees what --------------------------------------------------------------------------------------------------------


@pytest.fixture
def viewed(db: None) -> Company:
    """Acme, with two keys of a late simulated workspace."""
    provider = make_read_provider(name="Hidden workspace", region="simulated", last_synced_at=NOW - timedelta(hours=9))
    acme = make_company(name="Acme", notes="Pays late")
    for name in ("Hidden key", "Other key"):
        key = make_project(provider=provider, name=name, hint="a91f")
        make_assignment(project=key, company=acme)
        make_usage(project=key, model="tts", cost=Decimal(2))
    return acme


def test_a_client_sees_its_figures_and_nothing_of_where_they_come_from(
    client: Client, now: object, viewed: Company
) -> None:
    """Spend, change, forecast, models and days; no workspace, key, assignment, note, export or link to other pages."""
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[viewed]))

    html = client.get(viewed.get_absolute_url()).content.decode()
    text = text_of(html.encode())

    assert "Spend this month $4.00" in text
    assert cells(client, f"{viewed.get_absolute_url()}?csv=models", "Spend (USD)", "Requests") == {"tts": ("4", "20")}
    assert "Total $4.00" in text
    assert "Credits 2,000 20 requests" in text
    assert "Forecast November" in text
    main = html[html.index("<main") : html.index("</main>")]
    for hidden in (
        "Hidden",
        "Other key",
        "a91f",
        "Pays late",
        "API key",
        "Export",
        "/models/",
        "/providers/",
        "/exports/",
    ):
        assert hidden not in main, hidden


def test_a_client_learns_that_days_lack_but_not_of_which_workspace(
    client: Client, now: object, viewed: Company
) -> None:
    """Whoever reads an incomplete figure must know that."""
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[viewed]))

    text = page(client, viewed, "?from=2026-01-01&to=2026-11-22")

    assert "Some days of this range have not been read yet. Figures may be incomplete." in text
    assert "Hidden" not in text


def test_a_client_sees_no_other_company(client: Client, now: object, viewed: Company) -> None:
    """Not even that it exists."""
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[viewed]))

    assert client.get(make_company().get_absolute_url()).status_code == 404
    assert client.get("/companies/4711/").status_code == 404


def test_a_company_without_usage_greets_its_client(client: Client, now: object, db: None) -> None:
    """Without instructions that are the agency's."""
    acme = make_company(name="Acme")
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[acme]))

    text = page(client, acme)

    assert "No usage yet What Acme spends appears here." in text
    assert "provider" not in figure(text, "No usage yet", until="All days are UTC").lower()

"""The list of models, and the page of one."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.test import Client

from costs.models import DailyUsage
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_split,
    make_usage,
)
from tests.pages import cells, download, figure, page_of, text_of

pytestmark = pytest.mark.any_engine


NASTY = "<b>x</b>\"'&=1"


@pytest.fixture
def workspace(db: None) -> None:
    """Acme's key and an unassigned one, with two models by name, one without a name, and usage that names none."""
    provider = make_provider(name="Production", model_names={"tts": "Text to speech", "stt": "Speech to text"})
    make_read_days(provider=provider, first=TODAY - timedelta(days=90), last=TODAY)
    key, free = make_project(provider=provider, name="Support"), make_project(provider=provider, name="Free")
    make_assignment(project=key, company=make_company(name="Acme"))
    make_usage(project=key, model="tts", cost=Decimal(3))
    make_usage(project=key, model="tts", day=date(2026, 10, 21), cost=Decimal(2))
    make_usage(project=free, model="tts", cost=Decimal("0.5"))
    make_usage(project=key, model="stt", cost=Decimal(1))
    make_usage(project=key, model="unnamed", cost=Decimal("0.25"))
    make_usage(project=make_keyless(provider=provider), model="", cost=Decimal("0.125"))


def test_the_list_has_a_row_for_each_model(signed_in: Client, workspace: None) -> None:
    """Largest first, by its name where one is known, with what changed."""
    names = ("Spend (USD)", "Change (%)", "Credits", "Minutes", "Requests")

    rows = cells(signed_in, "/models/?csv=models", *names)

    assert list(rows.items()) == [
        ("Text to speech", ("3.5", "75", "2000", "3", "20")),
        ("Speech to text", ("1", "New", "1000", "1.5", "10")),
        ("unnamed", ("0.25", "New", "1000", "1.5", "10")),
        ("No model reported", ("0.125", "New", "1000", "1.5", "10")),
    ]


def test_the_list_shows_its_rows_and_their_sum(signed_in: Client, workspace: None) -> None:
    """In cents, with what a change is compared with; the sum is of all models."""
    table = figure(page_of(signed_in, "/models/"), "Requests", until="CSV (this view)")

    assert table.startswith("Text to speech $3.50 ▲ +75.0 % $2.00 on 1–21 Oct 2026 2,000 3.0 20 Speech to text")
    assert "No model reported $0.13 New" in table
    assert "Total $4.88 ▲ +143.8 % $2.00 on 1–21 Oct 2026 5,000 7.5 50" in table


def test_a_models_page_has_its_figures(signed_in: Client, workspace: None) -> None:
    """Under its name and id, with what changed; nothing of another model."""
    page = page_of(signed_in, "/models/usage/?model=tts")

    assert "Models Text to speech tts" in page
    assert figure(page, "Spend this month", until="1–22 Nov 2026") == "$3.50"
    assert "▲ +75.0 % $2.00 on 1–21 Oct 2026" in figure(page, "vs the same days last month", until="Credits")
    assert "Credits 2,000" in page
    assert "Requests 20" in page
    assert "Speech to text" not in page


def test_each_model_leads_to_its_page(signed_in: Client, workspace: None) -> None:
    """Also usage without one, with the range."""
    html = signed_in.get("/models/?from=2026-11-20&to=2026-11-21").content.decode()

    for model in ("tts", "unnamed", ""):
        assert f'href="/models/usage/?from=2026-11-20&amp;to=2026-11-21&amp;model={model}"' in html


def test_a_models_page_tells_whose_and_which_keys_it_is(signed_in: Client, workspace: None) -> None:
    """By company with what is unassigned, and by key with its provider."""
    url, names = "/models/usage/?model=tts", ("Spend (USD)", "Credits", "Minutes", "Requests")

    by_company = cells(signed_in, f"{url}&csv=companies", *names)
    by_key = cells(signed_in, f"{url}&csv=keys", *names)

    acme, unassigned = ("3", "1000", "1.5", "10"), ("0.5", "1000", "1.5", "10")
    assert list(by_company.items()) == [("Acme", acme), ("Unassigned", unassigned)]
    assert list(by_key.items()) == [("Support (Production)", acme), ("Free (Production)", unassigned)]
    assert page_of(signed_in, url).count("Total $3.50 2,000 3.0 20") == 2


def test_a_models_page_tells_each_day(signed_in: Client, workspace: None) -> None:
    """By company, and of all of them."""
    days = cells(signed_in, "/models/usage/?model=tts&csv=days", "Acme (USD)", "Unassigned (USD)", "Total (USD)")

    assert days["2026-11-21"] == ("3", "0.5", "3.5")
    assert {day for day, amounts in days.items() if amounts != ("0", "0", "0")} == {"2026-11-21"}


def test_usage_without_a_model_has_a_page(signed_in: Client, workspace: None) -> None:
    """Of the key table's row without a key, here."""
    page = page_of(signed_in, "/models/usage/?model=")

    assert "No model reported" in page
    assert figure(page, "Spend this month", until="1–22 Nov 2026") == "$0.13"
    assert cells(signed_in, "/models/usage/?model=&csv=keys", "Spend (USD)") == {
        "No API key (web app) (Production)": ("0.125",)
    }


@pytest.mark.parametrize(
    ("metric", "shown"),
    [("cost", "$3.50"), ("credits", "2,000"), ("minutes", "3.0"), ("requests", "20"), ("x", "$3.50")],
)
def test_the_metric_is_in_the_url(signed_in: Client, workspace: None, metric: str, shown: str) -> None:
    """An unknown one is cost; the file is of what is shown."""
    html = signed_in.get(f"/models/usage/?model=tts&metric={metric}").content.decode()
    rows = download(signed_in, f"/models/usage/?model=tts&metric={metric}&csv=days")

    twin = html[html.index("Show as table") : html.index("</tfoot>")]
    assert text_of(twin[twin.index("<tfoot>") :].encode()).endswith(shown)
    head = "Total (USD)" if shown.startswith("$") else "Total"
    assert sum(Decimal(row[head]) for row in rows) == Decimal(shown.strip("$").replace(",", ""))


@pytest.mark.parametrize("query", ["model=nonsense", "model=%00", "model=" + "x" * 5000, "model=TTS", "model=tts%20"])
def test_a_model_that_nobody_used_is_not_found(signed_in: Client, workspace: None, query: str) -> None:
    """Whatever the address holds."""
    assert signed_in.get(f"/models/usage/?{query}").status_code == 404


def test_without_usage_that_lacks_a_model_there_is_no_such_page(signed_in: Client) -> None:
    """An address without a model is not found either."""
    make_usage(model="tts")

    assert signed_in.get("/models/usage/").status_code == 404


def test_a_model_without_usage_in_the_range_says_so(signed_in: Client, workspace: None) -> None:
    """Zero where the days were read; a dash where they were not."""
    read = page_of(signed_in, "/models/usage/?model=tts&from=2026-11-01&to=2026-11-02")
    unread = page_of(signed_in, "/models/usage/?model=tts&from=2026-01-01&to=2026-01-02")

    assert "Spend 1–2 Nov 2026 $0.00" in read
    assert "No usage in 1–2 Nov 2026, UTC." in read
    assert "Spend 1–2 Jan 2026 — These days have not been read yet" in unread
    assert "No usage of 1–2 Jan 2026, UTC has been read yet." in unread


def test_the_list_without_usage_says_so(signed_in: Client) -> None:
    """Also before anything is connected."""
    assert "has been read yet" in page_of(signed_in, "/models/") or "No usage in" in page_of(signed_in, "/models/")

    make_read_days(provider=make_provider(), first=date(2026, 11, 1), last=TODAY)

    assert "No usage in 1–22 Nov 2026, UTC." in page_of(signed_in, "/models/")


def test_a_model_of_several_workspaces_is_one(signed_in: Client) -> None:
    """Each with its currency; keys of the same name are told apart by their provider."""
    for name, currency in (("Production", "usd"), ("Staging", "eur")):
        provider = make_provider(name=name, currency=currency)
        make_usage(project=make_project(provider=provider, name="Key"), model="tts", cost=Decimal(2), currency=currency)

    rows = download(signed_in, "/models/usage/?model=tts&csv=keys")

    assert "Spend this month €2.00 $2.00" in page_of(signed_in, "/models/usage/?model=tts")
    assert {row["API key"]: (row["Spend (EUR)"], row["Spend (USD)"]) for row in rows} == {
        "Key (Production)": ("", "2"),
        "Key (Staging)": ("2", ""),
    }


def test_a_split_keys_model_is_split(signed_in: Client) -> None:
    """By company; by key it is whole."""
    provider = make_provider(name="Production")
    make_read_days(provider=provider, first=date(2026, 11, 1), last=TODAY)
    key = make_project(provider=provider, name="Key")
    make_split(project=key, shares={make_company(name="Acme"): 75, make_company(name="Globex"): 25})
    make_usage(project=key, model="tts", cost=Decimal(4))
    url, names = "/models/usage/?model=tts", ("Spend (USD)", "Credits", "Minutes", "Requests")

    by_company = cells(signed_in, f"{url}&csv=companies", *names)
    by_key = cells(signed_in, f"{url}&csv=keys", *names)

    assert by_company == {
        "Acme": ("3", "750", "1.125", "8"),
        "Globex": ("1", "250", "0.375", "2"),
        "Unassigned": ("0", "0", "0", "0"),
    }
    assert by_key == {"Key (Production)": ("4", "1000", "1.5", "10")}


def test_models_of_zeros_are_left_out(signed_in: Client) -> None:
    """Rows that only remember that something once stood there."""
    key = make_project()
    make_usage(project=key, model="gone", credits=Decimal(0), minutes=Decimal(0), requests=0, cost=Decimal(0))
    make_usage(project=key, model="tts")

    page = page_of(signed_in, "/models/")

    assert "tts" in page
    assert "gone" not in page


def test_rows_that_miss_their_total_by_rounding_say_so(signed_in: Client) -> None:
    """Three times half a cent."""
    key = make_project()
    for model in ("a", "b", "c"):
        make_usage(project=key, model=model, cost=Decimal("0.005"))

    assert "Each figure is rounded from its own exact amount" in page_of(signed_in, "/models/")


def test_a_models_name_and_id_are_text(signed_in: Client) -> None:
    """Reported by strangers: in the title, the tables, the links and the file."""
    key = make_project(provider=make_provider(model_names={NASTY: NASTY}), name=NASTY)
    make_assignment(project=key, company=make_company(name=NASTY))
    make_usage(project=key, model=NASTY)
    assert DailyUsage.objects.get().model == NASTY

    for url in ("/models/", f"/models/usage/?{urlencode({'model': NASTY})}"):
        html = signed_in.get(url).content.decode()
        assert "<b>x" not in html, url
        assert "&lt;b&gt;x&lt;/b&gt;" in html, url
    assert f"/models/usage/?{urlencode({'model': NASTY})}" in signed_in.get("/models/").content.decode()
    assert [row["Model"] for row in download(signed_in, "/models/?csv=models")] == [NASTY]


def test_stale_and_simulated_data_are_called_so(signed_in: Client) -> None:
    """As on every page with money."""
    provider = make_provider(name="Demo", region="simulated", last_synced_at=None)
    make_usage(project=make_project(provider=provider), model="tts")

    for url in ("/models/", "/models/usage/?model=tts"):
        page = page_of(signed_in, url)
        assert "Simulated data" in page, url
        assert "days of this range have not been read yet" in page, url


def test_many_keys_of_a_model_come_in_pages(signed_in: Client, workspace: None) -> None:
    """Fifty of them, with the sum of all; the file holds every one, as the page names it."""
    provider = make_provider(name="Studio")
    for number in range(51):
        make_usage(project=make_project(provider=provider, name=f"Key {number:02}"), model="tts", cost=Decimal(1))
    url = "/models/usage/?model=tts"

    first, second = page_of(signed_in, url), page_of(signed_in, f"{url}&page=2")
    by_key = cells(signed_in, f"{url}&csv=keys", "Spend (USD)")

    assert "1–50 of 53" in first
    assert "Key 48 Studio" in first
    assert "Key 49 Studio" not in first
    assert "Key 50 Studio" in second
    assert first.count("Total $54.50") == second.count("Total $54.50") == 2
    assert len(by_key) == 53
    assert by_key["Key 50 (Studio)"] == ("1",)

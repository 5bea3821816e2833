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
from tests.pages import download, figure, page_of, text_of

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
    """Largest first, by its name where one is known, with what changed; the sum is of all of them."""
    page = page_of(signed_in, "/models/")

    rows = figure(page, "Requests", until="CSV (this view)")
    assert rows.startswith(
        "Text to speech $3.50 ▲ +75.0 % $2.00 on 1–21 Oct 2026 2,000 3.0 20 Speech to text $1.00 New"
    )
    assert "unnamed $0.25 New" in rows
    assert "No model reported $0.13 New" in rows
    assert "Total $4.88 ▲ +143.8 % $2.00 on 1–21 Oct 2026 5,000 7.5 50" in rows


def test_each_model_leads_to_its_page(signed_in: Client, workspace: None) -> None:
    """Also usage without one, with the range."""
    html = signed_in.get("/models/?from=2026-11-20&to=2026-11-21").content.decode()

    for model in ("tts", "unnamed", ""):
        assert f'href="/models/usage/?from=2026-11-20&amp;to=2026-11-21&amp;model={model}"' in html


def test_a_models_page_tells_whose_and_which_keys_it_is(signed_in: Client, workspace: None) -> None:
    """Its figures, by company with what is unassigned, by key with its provider, and by day."""
    page = page_of(signed_in, "/models/usage/?model=tts")

    assert "Models Text to speech tts" in page
    assert "Spend this month $3.50" in page
    assert "vs the same days last month ▲ +75.0 % $2.00 on 1–21 Oct 2026" in page
    assert "Credits 2,000" in page
    assert "Requests 20" in page
    assert "Acme $3.00 1,000 1.5 10 Unassigned $0.50 1,000 1.5 10 Total $3.50 2,000 3.0 20" in page
    assert "Support Production $3.00 1,000 1.5 10 Free Production $0.50 1,000 1.5 10 Total $3.50" in page
    assert "Day Acme Unassigned Total" in page
    assert "Speech to text" not in page


def test_usage_without_a_model_has_a_page(signed_in: Client, workspace: None) -> None:
    """Of the key table's row without a key, here."""
    page = page_of(signed_in, "/models/usage/?model=")

    assert "No model reported" in page
    assert "Spend this month $0.13" in page
    assert "No API key (web app) Production $0.13" in page


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

    page = page_of(signed_in, "/models/usage/?model=tts")

    assert "Acme $3.00 750 1.1 8" in page
    assert "Globex $1.00 250 0.4 2" in page
    assert "Key Production $4.00 1,000 1.5 10" in page


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

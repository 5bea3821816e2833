"""Both types at once: each keeps its sums and its words, and pages that count both speak of "the provider"."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from django.test import Client

from providers.models import Provider
from tests.factories import make_assignment, make_company, make_project, make_provider, make_read_days, make_usage
from tests.pages import column, download, page_of
from tests.providers.commands import ran
from tests.second_type.conftest import connect, days_ago, sync
from tests.second_type.server import Account

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

NOVEMBER = "?from=2026-11-01&to=2026-11-22"


@pytest.fixture
def studio(prism_too: Account) -> Provider:
    """Prism's account, synced: 121.11 EUR and 770 requests in November."""
    provider, run = connect()
    sync(run)
    return provider


@pytest.fixture
def voices(db: None) -> Provider:
    """A workspace of ElevenLabs: on one day 1,000 credits, 1.5 minutes, 10 requests and 0.30 USD, of Acme."""
    provider = make_provider(name="Voices")
    key = make_project(provider=provider, name="Acme's key")
    make_assignment(project=key, company=make_company(name="Acme"))
    make_usage(project=key, day=days_ago(3))
    make_usage(project=key, day=days_ago(4), cost=None)
    make_read_days(provider=provider, first=days_ago(60), last=days_ago(0))
    return provider


def test_sums_stand_beside_each_other(signed_in: Client, studio: Provider, voices: Provider) -> None:
    """Currencies are never added up."""
    rows = download(signed_in, f"/providers/{NOVEMBER}&csv=providers")

    assert {
        row["Name"]: (row["Type"], row["Spend this month (EUR)"], row["Spend this month (USD)"]) for row in rows
    } == {
        "Studio": ("Prism", "121.11", ""),
        "Voices": ("ElevenLabs", "", "0.3"),
    }


def test_what_one_type_reports_has_a_column_for_both(signed_in: Client, studio: Provider, voices: Provider) -> None:
    """What the other never reports is unknown in it, not zero."""
    models = download(signed_in, f"/models/{NOVEMBER}&csv=models")

    assert {row["Model"]: (row["Credits"], row["Minutes"], row["Requests"]) for row in models} == {
        "eleven_multilingual_v2": ("2000", "3", "20"),
        "prism-large": ("", "", "440"),
        "prism-swift": ("", "", "330"),
    }


def test_filter_leaves_the_columns_of_the_provider_that_it_names(
    signed_in: Client, studio: Provider, voices: Provider
) -> None:
    """The page then counts one type alone."""
    of_prism = download(signed_in, f"/models/{NOVEMBER}&provider={studio.pk}&csv=models")
    of_elevenlabs = download(signed_in, f"/models/{NOVEMBER}&provider={voices.pk}&csv=models")

    assert not {"Credits", "Minutes"} & of_prism[0].keys()
    assert {"Credits", "Minutes"} <= of_elevenlabs[0].keys()


def test_page_of_each_provider_speaks_its_own_words(signed_in: Client, studio: Provider, voices: Provider) -> None:
    """And none of the other."""
    of_prism, of_elevenlabs = (page_of(signed_in, provider.get_absolute_url()) for provider in (studio, voices))

    assert "What Prism charges, to the cent." in of_prism
    assert "ElevenLabs" not in of_prism
    assert "Actual spend as ElevenLabs reports it for your plan and usage." in of_elevenlabs
    assert "Prism" not in of_elevenlabs


def test_pages_that_count_both_name_neither(signed_in: Client, studio: Provider, voices: Provider) -> None:
    """A reason that could be either's is "the provider"'s."""
    both = column(download(signed_in, f"/companies/{NOVEMBER}&csv=companies"), "Notes")
    one = column(download(signed_in, f"/companies/{NOVEMBER}&provider={voices.pk}&csv=companies"), "Notes")

    assert "Spend: Includes usage that the provider has not priced yet" in both[0]
    assert "Spend: Includes usage that ElevenLabs has not priced yet" in one[0]


def test_statements_of_a_month_name_the_type_whose_usage_they_hold(
    signed_in: Client, studio: Provider, voices: Provider
) -> None:
    """Not one that is connected as well, of whose usage nothing is billed."""
    (acme,) = download(signed_in, "/statements/2026-11/?csv=statements")

    assert acme["Company"] == "Acme"
    assert "Cost: Includes usage that ElevenLabs has not priced yet" in acme["Notes"]


def test_export_holds_both(studio: Provider, voices: Provider) -> None:
    """Every stored row, under its provider."""
    rows = list(csv.DictReader(io.StringIO(ran("export_usage", "--from", "2026-11-01", "--to", "2026-11-22"))))

    cost = {
        name: sum(Decimal(row["cost"] or 0) for row in rows if row["provider"] == name) for name in ("Studio", "Voices")
    }
    assert cost == {"Studio": Decimal("121.11"), "Voices": Decimal("0.3")}


def test_empty_page_offers_a_provider_of_any_type(signed_in: Client, prism_too: Account) -> None:
    """It names neither."""
    assert "Connect a provider to see what each company spends" in page_of(signed_in, "/")

"""An installation that has a second type alone: it syncs, is attributed, shown, exported and reconciled."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from costs.statements.closing import close_month
from providers.models import Company, Project, Provider, SyncRun
from tests.factories import NOW, make_assignment, make_company, make_rule, make_user
from tests.pages import content_of, download, page_of
from tests.providers.commands import ran
from tests.second_type.conftest import connect, sync
from tests.second_type.server import Account

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

NOVEMBER = "?from=2026-11-01&to=2026-11-22"
# ElevenLabs and what only it has: fields of its answers, its permissions, its web app.
ITS_WORDS = r"eleven|character_|xi-api|workspace_analytics|residency|web app"
# Figures that the other type lacks. The exports of usage have fixed columns, and answers of the API fixed fields,
# whatever is connected.
ITS_FIGURES = r"\bcredits\b|\bminutes\b"
FIXED = ("/exports/", "/api/v1/")


@pytest.fixture
def studio(prism_alone: Account) -> Provider:
    """Synced, with one of its keys assigned to Acme."""
    provider, run = connect()
    sync(run)
    make_assignment(project=Project.objects.get(external_id="tok-support"), company=make_company(name="Acme"))
    provider.refresh_from_db()
    return provider


# --- Figures ----------------------------------------------------------------------------------------------------------


def test_engine_stores_what_the_type_reads(studio: Provider) -> None:
    """Every day that the server knows, its tokens, its plan."""
    run = SyncRun.objects.get()

    assert (run.outcome, run.rows_inserted) == (SyncRun.Outcome.SUCCEEDED, 150)
    assert (studio.currency, studio.subscription["name"]) == ("eur", "team")  # type: ignore[index]
    assert set(Project.objects.values_list("external_id", "name")) == {
        ("tok-support", "Support bot"),
        ("tok-reader", "Book reader"),
        ("tok-old", "Old experiment"),
        (Project.KEYLESS_ID, "Playground"),
    }


def test_syncing_again_changes_nothing(studio: Provider) -> None:
    """As with every type."""
    from providers.services.queueing import request_manual_sync

    done = sync(request_manual_sync(provider=studio, now=NOW))

    assert (done.outcome, done.rows_inserted, done.rows_changed) == (SyncRun.Outcome.SUCCEEDED, 0, 0)


def test_dashboard_sums_it_by_company(signed_in: Client, studio: Provider) -> None:
    """Cents that were text are euros, to the last tenth of a cent."""
    rows = download(signed_in, f"/{NOVEMBER}&csv=companies")

    spend = {row["Company"]: Decimal(row["Spend (EUR)"]) for row in rows}
    assert spend == {"Acme": Decimal(55), "Unassigned": Decimal("66.11")}


def test_figures_that_it_never_reports_have_no_column(signed_in: Client, studio: Provider) -> None:
    """On its page and in its files; those that it reports have."""
    keys = download(signed_in, f"{studio.get_absolute_url()}{NOVEMBER}&csv=keys")
    models = download(signed_in, f"/models/{NOVEMBER}&csv=models")

    assert {row["API key"]: (row["Spend (EUR)"], row["Requests"]) for row in keys} == {
        "Support bot": ("55", "440"),
        "Book reader": ("55", "220"),
        "Playground": ("11.11", "110"),
        "Old experiment": ("0", "0"),
    }
    assert not {"Credits", "Minutes"} & {*keys[0], *models[0]}


def test_a_choice_of_a_figure_that_it_lacks_is_no_choice(signed_in: Client, studio: Provider) -> None:
    """Its charts offer cost and requests, in its words; a link to another shows the first."""
    page = page_of(signed_in, f"{studio.get_absolute_url()}?metric=minutes")

    assert "Cost: What Prism charges, to the cent." in page
    assert "Cost Requests" in page


def test_plan_is_reconciled_in_its_own_unit(signed_in: Client, studio: Provider) -> None:
    """Requests against requests."""
    page = page_of(signed_in, studio.get_absolute_url())

    assert "Team plan" in page
    assert "770 of 2,000 requests used" in page
    assert "Reconciled 1–22 Nov 2026, UTC: 770 requests in these rows, 770 by Prism's count – the same." in page
    assert "Next invoice: €99.00" in page


def test_disabled_token_says_why_in_its_words(signed_in: Client, studio: Provider) -> None:
    """The reported code is the type's."""
    assert "Its budget is used up" in page_of(signed_in, studio.get_absolute_url())


def test_usage_csv_keeps_its_columns(studio: Provider) -> None:
    """What it does not report is empty."""
    rows = list(csv.DictReader(io.StringIO(ran("export_usage", "--from", "2026-11-21", "--to", "2026-11-21"))))

    assert [(row["project_id"], row["company"], row["requests"], row["cost"], row["currency"]) for row in rows] == [
        ("", "", "5", "0.505", "eur"),
        ("tok-reader", "", "10", "2.5", "eur"),
        ("tok-support", "Acme", "20", "2.5", "eur"),
    ]
    assert {(row["credits"], row["minutes"]) for row in rows} == {("", "")}


def test_focus_names_it_as_the_provider(studio: Provider) -> None:
    """Without a region."""
    text = ran("export_usage", "--from", "2026-11-21", "--to", "2026-11-21", "--format", "focus")
    rows = list(csv.DictReader(io.StringIO(text)))

    assert {(row["ProviderName"], row["PublisherName"], row["BillingCurrency"]) for row in rows} == {
        ("Prism", "Prism", "EUR")
    }
    assert {(row["RegionId"], row["RegionName"], row["PricingUnit"]) for row in rows} == {("", "", "Charges")}
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal("5.505")


# --- Words ------------------------------------------------------------------------------------------------------------

# Not followed: what is the same whatever is connected, or ends the session.
_ELSEWHERE = re.compile(r"/(accounts/logout|admin/(?!providers|costs)|static|__)")


def crawl(client: Client, *starts: str) -> Iterator[tuple[str, HttpResponseBase, str]]:
    """Every page and file that links lead to from ``starts``, each path once for each query parameter."""
    waiting, seen = list(starts), set[tuple[str, ...]]()
    while waiting:
        url = waiting.pop(0)
        address = urlsplit(url)
        chosen = ((name, value if name in {"csv", "metric"} else "") for name, value in parse_qsl(address.query))
        shape = {(address.path,), *((address.path, *choice) for choice in chosen)}
        if shape <= seen or address.netloc or _ELSEWHERE.match(address.path):
            continue
        seen |= shape
        response = client.get(url, follow=True)
        text = content_of(response)
        yield url, response, text
        if response["Content-Type"].startswith("text/html"):
            waiting += [urljoin(url, link.replace("&amp;", "&")) for link in re.findall(r'href="([^"#]+)', text)]


def walk(client: Client, *starts: str) -> dict[str, list[str]]:
    """Every page and file must be answered; the result names those that say a word of another type, and which."""
    found = {}
    for url, response, text in crawl(client, *starts):
        assert response.status_code == 200, url
        pattern = ITS_WORDS if url.startswith(FIXED) else f"{ITS_WORDS}|{ITS_FIGURES}"
        if words := sorted({word.lower() for word in re.findall(pattern, text, re.IGNORECASE)}):
            found[url] = words
    return found


@pytest.fixture
def everything(studio: Provider) -> Company:
    """Rules, a failed run, a closed month: what else pages may show of an installation."""
    company = Company.objects.get()
    make_rule(company=company)
    SyncRun.objects.create(
        provider=studio,
        trigger=SyncRun.Trigger.MANUAL,
        outcome=SyncRun.Outcome.FAILED,
        queued_at=NOW,
        started_at=NOW,
        finished_at=NOW,
        error_text="Prism is limiting requests. The next sync tries again.",
    )
    close_month(month=date(2026, 10, 1), now=NOW)
    return company


def test_no_page_or_file_says_a_word_of_another_type_to_an_admin(
    signed_in: Client, everything: Company, studio: Provider
) -> None:
    """From the dashboard through all that it leads to, and the pages that only menus and forms lead to."""
    pages = ("pause", "resync", "replace_key", "rename", "keyless", "delete", "restatements")

    found = walk(
        signed_in,
        "/",
        f"/{NOVEMBER}",
        "/providers/add/",
        *(reverse(f"providers:{page}", args=[studio.pk]) for page in pages),
        *(f"/companies/{everything.pk}/statements/2026-{month}/" for month in (10, 11)),
    )

    assert found == {}


def test_no_page_or_file_says_a_word_of_another_type_to_a_client(
    client: Client, now: object, everything: Company
) -> None:
    """A Company viewer sees one company and its statements."""
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[everything]))

    found = walk(
        client, "/", f"/companies/{everything.pk}/{NOVEMBER}", f"/companies/{everything.pk}/statements/2026-11/"
    )

    assert found == {}


def test_an_empty_installation_offers_it(signed_in: Client, prism_alone: Account) -> None:
    """Before anything is connected."""
    found = walk(signed_in, "/", "/providers/", "/providers/add/")

    assert found == {}
    assert "Connect Prism to see what each company spends" in page_of(signed_in, "/")

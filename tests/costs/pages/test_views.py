"""Every page that shows money: what it says, what it costs the database, and what it does with bad addresses."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import Role
from costs.models import DailyUsage
from providers.models import Company, Provider
from tests.conftest import FakeType
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_restatement,
    make_run,
    make_split,
    make_usage,
    make_user,
)
from tests.pages import cells, download, printed, text_of

NASTY = '<b>x</b>"\'&=HYPERLINK("http://evil")'
UNPRICED = "ElevenLabs has not priced this yet; it can take 24 hours"


def make_workspace(keys: int = 2, days: int = 2) -> tuple[Provider, Company]:
    """A read provider whose keys each cost $1 a day; the first one belongs to Acme."""
    provider, acme = make_provider(name="Production"), make_company(name="Acme")
    make_read_days(provider=provider, first=TODAY - timedelta(days=364), last=TODAY)
    for number in range(keys):
        key = make_project(provider=provider, name=f"Key {number}", last_used_on=TODAY)
        if number == 0:
            make_assignment(project=key, company=acme)
        for day in range(1, days + 1):
            make_usage(project=key, day=TODAY - timedelta(days=day), cost=Decimal(1))
    return provider, acme


def make_workspace_of(company: Company) -> Provider:
    """Another provider with a key of ``company``."""
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY - timedelta(days=90), last=TODAY)
    key = make_project(provider=provider)
    make_assignment(project=key, company=company)
    make_usage(project=key)
    return provider


# Dashboard ------------------------------------------------------------------------------------------------------------


def test_an_empty_dashboard_offers_to_connect(signed_in: Client, elevenlabs: FakeType) -> None:
    """And nothing else."""
    page = text_of(signed_in.get("/").content)

    assert "Connect ElevenLabs to see what each company spends" in page
    assert "Add Provider" in page
    assert "Try it with a simulated workspace" in page
    assert "$0.00" not in page


def test_the_dashboard_adds_up(signed_in: Client) -> None:
    """Total, unassigned, and what they are compared with."""
    make_workspace()

    page = text_of(signed_in.get("/").content)

    assert "Spend this month $4.00 1–22 Nov 2026" in page
    assert "vs the same days last month New Nothing was spent on 1–21 Oct 2026 1–21 Oct 2026" in page
    assert "Forecast November — Forecast appears after 7 full days of data" in page
    assert "Unassigned spend $2.00 1 of 2 API keys" in page


def test_the_dashboard_has_a_row_for_each_company(signed_in: Client) -> None:
    """What is unassigned comes last, above the sum."""
    make_workspace()

    rows = cells(signed_in, "/?csv=companies", "Spend (USD)", "Change (%)", "Share (%)", "API keys today")

    assert list(rows.items()) == [("Acme", ("2", "New", "50", "1")), ("Unassigned", ("2", "New", "50", "1"))]
    assert printed(signed_in, "/", "Company")[-1][:2] == ("Total", "$4.00")


def test_a_stale_provider_is_named(signed_in: Client) -> None:
    """With how long ago it was synced."""
    make_provider(name="Production ElevenLabs", last_synced_at=NOW - timedelta(hours=9))

    page = text_of(signed_in.get("/").content)

    assert "Production ElevenLabs last synced 9 hours ago. Figures may be incomplete." in page


def test_simulated_data_is_called_so(signed_in: Client) -> None:
    """On every page with its figures."""
    provider = make_provider(region="simulated")
    make_assignment(project=make_project(provider=provider), company=make_company())

    for path in (
        "/",
        "/companies/",
        f"/companies/{Company.objects.get().pk}/",
        "/providers/",
        provider.get_absolute_url(),
    ):
        assert "Simulated data" in text_of(signed_in.get(path).content), path


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("company", ["Acme (USD)", "Unassigned (USD)"]),
        ("provider", ["Production (USD)"]),
        ("model", ["eleven_multilingual_v2 (USD)"]),
        ("nonsense", ["Acme (USD)", "Unassigned (USD)"]),
    ],
)
def test_the_chart_is_grouped_by_the_url(signed_in: Client, by: str, groups: list[str]) -> None:
    """An unknown grouping is the default one."""
    make_workspace()

    headings = list(download(signed_in, f"/?by={by}&csv=days")[0])

    assert headings == ["Day", *groups, "Total (USD)", "Notes"]


# Unknown, zero, provisional -------------------------------------------------------------------------------------------


def test_unpriced_usage_is_a_dash_with_its_reason(signed_in: Client) -> None:
    """Never $0.00."""
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY.replace(day=1), last=TODAY)
    make_usage(project=make_project(provider=provider), cost=None)

    page = text_of(signed_in.get("/").content)

    assert f"Spend this month — {UNPRICED}" in page


def test_a_sum_that_lacks_prices_says_so(signed_in: Client) -> None:
    """With a mark and a reason."""
    provider, _acme = make_workspace(keys=1, days=1)
    make_usage(project=provider.projects.get(), day=TODAY, cost=None)

    page = text_of(signed_in.get("/").content)

    assert "Spend this month $1.00 * Includes usage that ElevenLabs has not priced yet" in page


def test_a_day_read_without_usage_is_zero_and_an_unread_one_unknown(signed_in: Client) -> None:
    """The twin of the chart tells them apart; young days are provisional."""
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY - timedelta(days=3), last=TODAY - timedelta(days=2))
    make_usage(project=make_project(provider=provider), day=TODAY - timedelta(days=3), cost=Decimal(5))

    days = cells(signed_in, f"{provider.get_absolute_url()}?csv=days", "Total (USD)", "Notes")

    assert days["2026-11-21"][0] == ""
    assert "These days have not been read yet" in days["2026-11-21"][1]
    assert days["2026-11-20"] == ("0", "Day: ElevenLabs may still restate this day")
    assert "20 of 22 days of this range have not been read yet" in text_of(
        signed_in.get(provider.get_absolute_url()).content
    )


def test_usage_in_euros_is_shown_in_euros(signed_in: Client) -> None:
    """Beside dollars, never added."""
    provider, _acme = make_workspace(keys=1, days=1)
    make_usage(project=provider.projects.get(), model="other", cost=Decimal(7), currency="eur")

    page = text_of(signed_in.get("/").content)

    assert "Spend this month €7.00 $1.00" in page


# Providers ------------------------------------------------------------------------------------------------------------


def test_the_provider_list_shows_state_and_spend(signed_in: Client, elevenlabs: FakeType) -> None:
    """One row each."""
    make_workspace()

    rows = printed(signed_in, "/providers/", "Name")

    assert [row[:6] for row in rows] == [
        ("Production", "ElevenLabs", "Connected", "12 min ago", "$4.00", "1"),
        ("Total", "", "", "", "$4.00", "1"),
    ]


def test_the_provider_page_shows_keys_models_and_syncs(signed_in: Client, elevenlabs: FakeType) -> None:
    """Each section agrees with the others."""
    provider, _acme = make_workspace()
    make_usage(project=make_keyless(provider=provider), cost=Decimal(3))
    make_run(provider=provider, outcome="succeeded", finished_at=NOW, started_at=NOW, rows_read=4, rows_inserted=4)

    page = text_of(signed_in.get(provider.get_absolute_url()).content)
    keys = cells(signed_in, f"{provider.get_absolute_url()}?csv=keys", "Spend (USD)")

    assert keys == {"Key 0": ("2",), "Key 1": ("2",), "No API key (web app)": ("3",)}
    assert page.count("Total $7.00") == 3  # keys, days, models
    assert "Last synced 12 min ago · next about 13:00 UTC" in page
    assert "4 read, 4 changed" in page


def test_the_end_of_the_initial_sync_says_what_to_do(signed_in: Client) -> None:
    """How many keys wait for a company."""
    provider = make_provider()
    for _ in range(12):
        make_project(provider=provider)
    make_run(provider=provider, trigger="connect", outcome="succeeded", finished_at=NOW)

    page = text_of(signed_in.get(provider.get_absolute_url()).content)

    assert "Initial sync finished. Assign 12 API keys to companies." in page


def test_a_running_sync_polls_and_works_without_scripts(signed_in: Client) -> None:
    """By htmx every two seconds, else by reloading the page."""
    provider = make_provider()
    make_run(provider=provider, stage="usage", started_at=NOW, days_total=90, days_done=37)

    page = signed_in.get(provider.get_absolute_url()).content.decode()

    assert f'hx-get="/providers/{provider.pk}/progress/" hx-trigger="every 2s"' in page
    assert '<noscript><meta http-equiv="refresh"' in page


def test_a_failed_sync_names_its_stage_and_offers_another_try(signed_in: Client) -> None:
    """In plain words, with the safe text."""
    provider = make_provider(failure_code="x", failure_text="ElevenLabs did not answer.")
    make_run(
        provider=provider, stage="keys", outcome="failed", finished_at=NOW, error_text="ElevenLabs did not answer."
    )

    page = text_of(signed_in.get(provider.get_absolute_url()).content)

    assert "The latest sync failed while listing the API keys. ElevenLabs did not answer." in page
    assert "Try again" in page


def test_a_run_that_needs_a_look_can_be_accepted_there(signed_in: Client) -> None:
    """One button, for that run."""
    provider = make_provider()
    run = make_run(provider=provider, outcome="needs_look", finished_at=NOW, window_from=TODAY, window_to=TODAY)

    page = signed_in.get(provider.get_absolute_url()).content.decode()

    assert f'action="/providers/{provider.pk}/runs/{run.pk}/accept/"' in page


@pytest.mark.parametrize(
    ("subscription", "expected"),
    [
        (
            {
                "name": "scale",
                "status": "active",
                "used": 412_000,
                "included": 500_000,
                "resets_at": "2026-12-01T00:00:00+00:00",
                "overage": {"amount": "12.50", "currency": "usd"},
            },
            ["Scale plan", "412,000 of 500,000 credits used", "Resets 1 Dec 2026", "Overage this period: $12.50"],
        ),
        ({}, ["Plan not reported"]),
        ({"name": None, "used": "many", "overage": {"amount": "NaN"}}, ["Plan not reported"]),
    ],
)
def test_the_subscription_is_shown_as_far_as_it_is_known(
    signed_in: Client, subscription: dict[str, object], expected: list[str]
) -> None:
    """Whatever shape the provider reported it in."""
    provider = make_provider(subscription=subscription)

    page = text_of(signed_in.get(provider.get_absolute_url()).content)

    for words in expected:
        assert words in page


@pytest.mark.parametrize(
    ("metric", "cell"),
    [("cost", "$4.00"), ("credits", "4,000"), ("minutes", "6.0"), ("requests", "40"), ("x", "$4.00")],
)
def test_the_metric_of_the_daily_usage_is_in_the_url(signed_in: Client, metric: str, cell: str) -> None:
    """An unknown one is cost."""
    provider, _acme = make_workspace()

    rows = printed(signed_in, f"{provider.get_absolute_url()}?metric={metric}", "Day")

    assert (rows[-1][0], rows[-1][-1]) == ("Total", cell)


def test_keys_come_in_pages_of_fifty(signed_in: Client) -> None:
    """A number outside is the nearest page."""
    provider = make_provider()
    for _ in range(132):
        make_project(provider=provider)

    pages = [
        text_of(signed_in.get(f"{provider.get_absolute_url()}?page={number}").content)
        for number in ("1", "3", "99", "-1", "x" * 100, "9" * 100)
    ]

    assert "1–50 of 132" in pages[0]
    assert "101–132 of 132" in pages[1]
    assert "101–132 of 132" in pages[2]
    assert all("1–50 of 132" in page for page in pages[3:])


def test_keys_are_sorted_by_the_url(signed_in: Client) -> None:
    """Names as people count; the heading tells the direction."""
    provider = make_provider()
    for name in ("key 10", "key 9"):
        make_project(provider=provider, name=name)

    page = signed_in.get(f"{provider.get_absolute_url()}?sort=name").content.decode()

    assert page.index("key 9") < page.index("key 10")
    assert 'aria-sort="ascending"><a href="/providers/' in page


def test_a_filter_without_matches_can_be_cleared(signed_in: Client) -> None:
    """Which is not the same as nothing yet."""
    provider, _acme = make_workspace(keys=1)

    filtered = text_of(signed_in.get(f"{provider.get_absolute_url()}?show=unassigned").content)
    empty = text_of(signed_in.get(make_provider().get_absolute_url()).content)

    assert "No rows match. Clear filters" in filtered
    assert "No API keys yet." in empty


# Companies ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", ["name", "-name", "spend", "-spend", "keys", "nonsense"])
def test_the_company_list_ends_with_what_is_unassigned(signed_in: Client, sort: str) -> None:
    """Whatever it is sorted by."""
    make_workspace()

    rows = [row[:2] for row in printed(signed_in, f"/companies/?sort={sort}", "Company")]

    assert rows == [("Acme", "$2.00"), ("Unassigned", "$2.00"), ("Total", "$4.00")]


def test_the_company_page_agrees_with_the_lists(signed_in: Client) -> None:
    """By model, by key, by day – and says since when."""
    _provider, acme = make_workspace()
    url = acme.get_absolute_url()

    page = text_of(signed_in.get(url).content)

    assert "Spend this month $2.00" in page
    assert page.count("Total $2.00") == 3
    assert cells(signed_in, f"{url}?csv=keys", "Spend (USD)") == {"Key 0 (Production)": ("2",)}
    assert cells(signed_in, f"{url}?csv=assignments", "Provider", "Part (%)", "From", "Until", "Assigned") == {
        "Key 0": ("Production", "100", "The beginning", "Now", "By hand")
    }


def test_a_company_without_keys_says_what_to_do(signed_in: Client) -> None:
    """And shows no figures."""
    company = make_company(name="Acme")

    page = text_of(signed_in.get(company.get_absolute_url()).content)

    assert "No API keys belong to Acme yet" in page
    assert "$0.00" not in page


# Every page -----------------------------------------------------------------------------------------------------------


def pages(provider: Provider, company: Company) -> list[str]:
    return [
        "/",
        "/companies/",
        company.get_absolute_url(),
        "/models/",
        f"/models/usage/?{urlencode({'model': DailyUsage.objects.values_list('model', flat=True).first()})}",
        "/providers/",
        provider.get_absolute_url(),
        f"{provider.get_absolute_url()}restatements/",
    ]


@pytest.mark.parametrize("many", [2, 60])
def test_no_page_makes_more_queries_for_more_data(
    client: Client, db: None, now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries, many: int
) -> None:
    """At most fifteen each, of which three ask who is there: more keys, companies, providers, models, splits, runs."""
    client.force_login(make_user(role=Role.VIEWER))
    provider, acme = make_workspace(keys=many)
    for number, key in enumerate(provider.projects.all()[1:]):
        make_split(project=key, shares={acme: 50, make_company(): 50})
        make_usage(project=key, day=TODAY - timedelta(days=31), model=f"model {number}")
        make_assignment(project=key, company=acme, starts_on=TODAY)
        make_run(provider=provider, outcome="succeeded", finished_at=NOW)
        make_restatement(project=key)
    for _ in range(many // 10):
        make_usage(project=make_keyless(provider=make_workspace_of(acme)))

    for path in pages(provider, acme):
        with django_assert_max_num_queries(15):
            assert client.get(path).status_code == 200, path


@pytest.mark.parametrize("query", ["from=2026-13-01", "from=2026-11-02&to=2026-11-01", "to=%00", "from=" + "9" * 5000])
def test_a_bad_range_is_said_and_this_month_is_shown(signed_in: Client, query: str) -> None:
    """422, a sentence, the default range."""
    provider, acme = make_workspace(keys=1, days=1)

    for path in pages(provider, acme):
        if path == "/providers/":
            continue  # is always of this month
        response = signed_in.get(f"{path}{'&' if '?' in path else '?'}{query}")
        assert response.status_code == 422, path
        assert "There is a problem" in response.content.decode()
        assert "1–22 Nov 2026, UTC" in response.content.decode()
        assert "<title>Error: " in response.content.decode()


def test_a_range_is_the_same_view_for_everybody(signed_in: Client) -> None:
    """What the URL says is what is shown, and links keep it."""
    _provider, acme = make_workspace(keys=1, days=2)

    page = signed_in.get("/?from=2026-11-21&to=2026-11-21").content

    assert "Spend 21 Nov 2026 $1.00" in text_of(page)
    assert f'{acme.get_absolute_url()}?from=2026-11-21&amp;to=2026-11-21"' in page.decode()


def test_names_show_as_themselves_everywhere(signed_in: Client) -> None:
    """In titles, tables, choices, charts and labels: nothing of a name is ever markup."""
    provider, company = make_provider(name=NASTY, model_names={"m": NASTY}), make_company(name=NASTY)
    key = make_project(provider=provider, name=NASTY)
    make_assignment(project=key, company=company)
    make_usage(project=key, model="m")
    make_read_days(provider=provider, first=TODAY.replace(day=1), last=TODAY)

    for path in (*pages(provider, company), "/?by=model", "/?by=provider", f"/companies/{company.pk}/edit/"):
        page = signed_in.get(path).content.decode()
        assert "<b>x" not in page, path
        assert "&lt;b&gt;x&lt;/b&gt;" in page, path


def test_pages_carry_no_inline_script_or_style(signed_in: Client) -> None:
    """The policy would block them; JSON for the charts is data."""
    provider, acme = make_workspace()

    for path in pages(provider, acme):
        page = signed_in.get(path).content.decode()
        assert not re.search(r"<script(?![^>]*(src=|application/json))", page), path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|data:", page), path


@pytest.mark.parametrize("path", ["/providers/4711/", "/companies/4711/", "/companies/" + "9" * 40 + "/"])
def test_other_ids_are_not_found(signed_in: Client, path: str) -> None:
    """Also those that no column can hold."""
    assert signed_in.get(path).status_code == 404


def test_pages_are_not_for_posting(signed_in: Client) -> None:
    """405."""
    provider, acme = make_workspace(keys=1, days=1)

    for path in pages(provider, acme):
        assert signed_in.post(path).status_code == 405, path


def test_the_api_key_is_on_no_page(signed_in: Client) -> None:
    """Only its last four characters are."""
    provider, acme = make_workspace()

    for path in pages(provider, acme):
        page = signed_in.get(path).content.decode()
        assert provider.api_key.reveal() not in page
        assert provider.encrypted_key not in page

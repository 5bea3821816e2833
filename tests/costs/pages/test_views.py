"""Every page that shows money: what it says, what it costs the database, and what it does with bad addresses."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import Role
from costs.models import DailyUsage
from providers.models import Company, Provider
from tests.costs.worlds import make_workspace
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
from tests.pages import cells, printed, text_of

pytestmark = pytest.mark.any_engine


NASTY = '<b>x</b>"\'&=HYPERLINK("http://evil")'


def make_workspace_of(company: Company) -> Provider:
    """Another provider with a key of ``company``."""
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY - timedelta(days=90), last=TODAY)
    key = make_project(provider=provider)
    make_assignment(project=key, company=company)
    make_usage(project=key)
    return provider


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

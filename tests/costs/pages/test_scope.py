"""What a page with money is about: the filter by provider, and links that keep what was chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client

from accounts.models import Role
from providers.models import Company, Provider
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
    make_user,
)
from tests.pages import download, page_of, printed, text_of

pytestmark = pytest.mark.any_engine


MODEL = "eleven_multilingual_v2"


@dataclass(frozen=True)
class World:
    production: Provider
    staging: Provider
    acme: Company

    @property
    def pages(self) -> list[str]:
        """Those that can be filtered."""
        return ["/", "/companies/", self.acme.get_absolute_url(), "/models/", f"/models/usage/?model={MODEL}"]


@pytest.fixture
def world(db: None) -> World:
    """Acme has a key in each of two workspaces: $3 a day in the one, $5 in the other, on 14 days of each month."""
    production, staging = make_provider(name="Production"), make_provider(name="Staging")
    acme = make_company(name="Acme")
    for provider, cost in ((production, 3), (staging, 5)):
        make_read_days(provider=provider, first=TODAY - timedelta(days=90), last=TODAY)
        key = make_project(provider=provider, name=f"Key of {provider.name}")
        make_assignment(project=key, company=acme)
        for month in (10, 11):
            for day in range(8, 22):
                make_usage(project=key, day=date(2026, month, day), cost=Decimal(cost * (month - 9)))
    return World(production, staging, acme)


def with_query(path: str, query: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{query}"


def menu(html: str) -> list[tuple[str, str]]:
    """The filter's links with their labels."""
    found = re.search(r'<details class="menu menu--filter.*?</details>', html, re.DOTALL)
    return (
        [
            (label, unescape(url))
            for url, label in re.findall(r'<a href="([^"]*)"[^>]*><bdi>([^<]*)</bdi></a>', found[0])
        ]
        if found
        else []
    )


def test_every_figure_is_of_the_chosen_provider(signed_in: Client, world: World) -> None:
    """Spend, change, forecast, keys, tables; without a filter of both."""
    for path in world.pages:
        every = page_of(signed_in, path)
        one = page_of(signed_in, with_query(path, f"provider={world.staging.pk}"))

        assert "$224.00" in every, path
        assert "$140.00" in one, path
        assert "$224.00" not in one, path
        assert "▲ +100.0 % $70.00 on 1–21 Oct 2026" in one, path
        assert "Production" not in one.replace("Production Staging", ""), path  # but in the filter's own menu
    dashboard = page_of(signed_in, f"/?provider={world.staging.pk}")
    assert "every API key belongs to a company" in dashboard
    assert "Forecast November $230.00" in dashboard
    total = printed(signed_in, f"/?provider={world.staging.pk}", "Company")[-1]
    assert total == ("Total", "$140.00", "▲ +100.0 % $70.00 on 1–21 Oct 2026", "", "1")
    company = page_of(signed_in, f"{world.acme.get_absolute_url()}?provider={world.staging.pk}")
    assert "140 requests · 1 API key today" in company
    keys = download(signed_in, f"{world.acme.get_absolute_url()}?provider={world.staging.pk}&csv=keys")
    assert [row["API key"] for row in keys] == ["Key of Staging (Staging)"]
    assert "Forecast November $230.00" in company


def test_the_filter_says_what_is_chosen_and_offers_the_others(signed_in: Client, world: World) -> None:
    """By name, as links; the current one is marked."""
    html = signed_in.get(f"/?provider={world.staging.pk}").content.decode()

    assert menu(html) == [
        ("All providers", "/"),
        ("Production", f"/?provider={world.production.pk}"),
        ("Staging", f"/?provider={world.staging.pk}"),
    ]
    assert "Provider: Staging" in text_of(html.encode())
    assert f'href="/?provider={world.staging.pk}" aria-current="true"><bdi>Staging' in html
    assert "Provider: All" in page_of(signed_in, "/")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/", "from=2026-11-01&to=2026-11-10&by=model"),
        ("/companies/", "from=2026-11-01&to=2026-11-10&sort=name"),
        ("/models/usage/", f"model={MODEL}&metric=credits&from=2026-11-01&to=2026-11-10"),
    ],
)
def test_the_filter_keeps_what_else_was_chosen(signed_in: Client, world: World, path: str, query: str) -> None:
    """Range, grouping, sorting, metric – and the other way round they keep the filter."""
    html = signed_in.get(f"{path}?{query}&page=3").content.decode()
    filtered = signed_in.get(f"{path}?{query}&provider={world.staging.pk}").content.decode()

    assert menu(html)[1:] == [
        (provider.name, f"{path}?{query}&provider={provider.pk}") for provider in (world.production, world.staging)
    ]
    presets = filtered[filtered.index('class="segments"') : filtered.index("<summary>Custom")]
    links = re.findall(r'href="([^"]*)"', presets)
    assert len(links) == 6
    assert all(f"provider={world.staging.pk}" in link for link in links)
    assert f'<input type="hidden" name="provider" value="{world.staging.pk}">' in filtered


def test_links_to_other_pages_keep_range_and_filter(signed_in: Client, world: World) -> None:
    """From the dashboard to a company, from there to a model, and on."""
    asked = f"?from=2026-11-09&to=2026-11-15&provider={world.staging.pk}"

    linked = {
        "/": [world.acme.get_absolute_url() + asked, f"/companies/{asked}", f"/models/{asked}"],
        "/companies/": [world.acme.get_absolute_url() + asked],
        world.acme.get_absolute_url(): [
            f"/models/usage/{asked}&company={world.acme.pk}&model={MODEL}",
            f"/companies/{asked}",
        ],
        "/models/": [f"/models/usage/{asked}&model={MODEL}", f"/{asked}"],
        "/models/usage/": [f"/models/{asked}", world.acme.get_absolute_url() + asked],
    }

    for path, links in linked.items():
        html = unescape(signed_in.get(f"{path}{asked}&model={MODEL}").content.decode())
        for link in links:
            assert f'href="{link}"' in html, (path, link)


@pytest.mark.parametrize("value", ["4711", "x", "-1", "", "%00", "9" * 400, "1.0", " "])
def test_an_unknown_provider_is_no_filter(signed_in: Client, world: World, value: str) -> None:
    """As every unknown value in a URL."""
    for path in world.pages:
        page = page_of(signed_in, with_query(path, f"provider={value}"))

        assert "$224.00" in page, path
        assert "Provider: All" in page, path


def test_a_company_has_nothing_of_a_provider_that_it_does_not_use(signed_in: Client, world: World) -> None:
    """Its page offers where its usage can come from, and what was asked for: the lists lead there with their filter."""
    other = make_provider(name="Other")
    make_read_days(provider=other, first=TODAY - timedelta(days=90), last=TODAY)
    make_usage(project=make_project(provider=other))
    page = world.acme.get_absolute_url()

    html = signed_in.get(f"{page}?provider={other.pk}").content.decode()

    assert "Provider: Other" in text_of(html.encode())
    assert "$224.00" not in html
    assert download(signed_in, f"{page}?provider={other.pk}&csv=models") == []
    assert [label for label, _url in menu(signed_in.get(page).content.decode())] == [
        "All providers",
        "Production",
        "Staging",
    ]


def test_one_provider_needs_no_filter(signed_in: Client) -> None:
    """There is nothing to choose; a link that names it still works, and can be undone."""
    provider = make_provider(name="Production")
    make_usage(project=make_project(provider=provider), cost=Decimal(7))

    plain = signed_in.get("/").content.decode()
    named = signed_in.get(f"/?provider={provider.pk}").content.decode()

    assert menu(plain) == []
    assert [url for _label, url in menu(named)] == ["/", f"/?provider={provider.pk}"]
    assert "$7.00" in named


@pytest.mark.parametrize("providers", [1, 2])
def test_a_filter_without_matches_can_be_cleared(signed_in: Client, providers: int) -> None:
    """Which is not the same as no usage."""
    empty = make_provider()
    make_read_days(provider=empty, first=date(2026, 11, 1), last=TODAY)
    for _ in range(providers - 1):
        other = make_provider()
        make_read_days(provider=other, first=date(2026, 11, 1), last=TODAY)

    for path in ("/", "/models/"):
        html = signed_in.get(f"{path}?provider={empty.pk}&from=2026-11-02&to=2026-11-20").content.decode()
        assert f'No rows match. <a href="{path}?from=2026-11-02&amp;to=2026-11-20">Clear filters</a>' in html, path
        assert "No usage in 1–22 Nov 2026, UTC." in page_of(signed_in, path), path


def test_a_company_without_usage_of_the_chosen_provider_can_be_cleared(signed_in: Client, world: World) -> None:
    """On its own page, too."""
    idle = make_provider(name="Idle")
    make_read_days(provider=idle, first=date(2026, 11, 1), last=TODAY)
    make_assignment(project=make_project(provider=idle), company=world.acme)

    page = page_of(signed_in, f"{world.acme.get_absolute_url()}?provider={idle.pk}")

    assert "No rows match. Clear filters" in page
    assert "Spend this month $0.00" in page


def test_a_client_can_neither_filter_nor_learn_by_filtering(client: Client, now: object, world: World) -> None:
    """No menu, no names, and the same figures whatever the URL asks."""
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[world.acme]))

    for query in ("", f"?provider={world.staging.pk}"):
        html = client.get(f"{world.acme.get_absolute_url()}{query}").content.decode()
        assert "Spend this month $224.00" in text_of(html.encode())
        assert menu(html) == []
        assert "Staging" not in html
        assert "Production" not in html


def test_names_in_the_filter_are_text(signed_in: Client) -> None:
    """Nothing of a name is ever markup."""
    for number in range(2):
        make_usage(project=make_project(provider=make_provider(name=f"<b>x</b>{number}")))

    html = signed_in.get("/").content.decode()

    assert "<b>x" not in html
    assert [label for label, _url in menu(html)][1:] == ["&lt;b&gt;x&lt;/b&gt;0", "&lt;b&gt;x&lt;/b&gt;1"]

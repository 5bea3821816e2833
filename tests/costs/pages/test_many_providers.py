"""An agency with hundreds of workspaces: the filter of pages finds them by name, and their list comes in pages."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.test import Client

from providers.models import Provider
from tests.factories import TODAY, make_project, make_provider, make_read_days, make_usage
from tests.pages import download, page_of, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

MANY = 120


@pytest.fixture
def providers(now: object) -> list[Provider]:
    made = [make_provider(name=f"Workspace {number:03}") for number in range(MANY)]
    make_read_days(provider=made[0], first=TODAY, last=TODAY)
    return made


def filter_of(client: Client, query: str = "") -> str:
    html = client.get(f"/{query}").content.decode()
    found = re.search(r'<details class="menu menu--filter.*?</details>', html, re.DOTALL)
    assert found is not None
    return found[0]


def linked(html: str) -> list[str]:
    return re.findall(r"<bdi>([^<]*)</bdi></a>", html)


def test_page_links_to_none_of_many_providers(signed_in: Client, providers: list[Provider]) -> None:
    """A form asks for a part of a name, and keeps what else the address says."""
    html = filter_of(signed_in, "?by=model")

    assert linked(html) == ["All providers"]
    assert 'type="hidden" name="by" value="model"' in html
    assert len(html) < 2000


def test_part_of_a_name_finds_providers(signed_in: Client, providers: list[Provider]) -> None:
    """Whatever the case; links to each, in an open menu."""
    html = filter_of(signed_in, "?provider_name=SPACE+01&by=model")

    assert linked(html) == ["All providers", *(f"Workspace 01{digit}" for digit in range(10))]
    assert f'href="/?by=model&amp;provider={providers[10].pk}"' in html
    assert "10 providers found." in text_of(html.encode())
    assert "data-menu open" in html


def test_name_of_one_provider_chooses_it(signed_in: Client, providers: list[Provider]) -> None:
    """Its figures are shown, and its link is the current one."""
    html = filter_of(signed_in, "?provider_name=workspace+007")

    assert "Provider: Workspace 007" in text_of(html.encode())
    assert f'href="/?provider={providers[7].pk}" aria-current="true"' in html


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("space", "120 providers found. The first 25 are shown: type more of the name."),
        ("nowhere", "No provider’s name has “nowhere” in it."),
    ],
)
def test_search_says_what_it_found(signed_in: Client, providers: list[Provider], name: str, said: str) -> None:
    """Too many, or nothing."""
    html = filter_of(signed_in, f"?provider_name={name}")

    assert said in text_of(html.encode())
    assert len(linked(html)) <= 26


def test_notice_names_some_of_many_providers(signed_in: Client, providers: list[Provider]) -> None:
    """And how many there are besides."""
    page = text_of(signed_in.get("/").content)

    assert "Workspace 008, Workspace 009 and 110 others. Figures may be incomplete." in page
    assert "Workspace 010" not in page


def test_notice_of_invented_amounts_names_some_of_many_simulated_ones(
    signed_in: Client, providers: list[Provider]
) -> None:
    """Likewise."""
    Provider.objects.update(region="simulated")

    page = text_of(signed_in.get("/").content)

    assert "Workspace 008, Workspace 009 and 110 others are invented." in page


def test_the_list_comes_in_pages_and_its_file_is_whole(signed_in: Client, providers: list[Provider]) -> None:
    """In the order that was asked for; the total is of all of them on every page."""
    make_usage(project=make_project(provider=providers[0]), cost=Decimal(7))

    first, last = (page_of(signed_in, f"/providers/?sort=-name&page={number}") for number in (1, 3))

    assert ("1–50 of 120" in first, "101–120 of 120" in last) == (True, True)
    assert [f"Workspace {number:03}" in first for number in (119, 70, 69, 0)] == [True, True, False, False]
    assert "Workspace 000" in last
    assert all("Total $7.00" in page for page in (first, last))
    names = [row["Name"] for row in download(signed_in, "/providers/?sort=-name&page=2&csv=providers")]
    assert names == [f"Workspace {number:03}" for number in reversed(range(MANY))]

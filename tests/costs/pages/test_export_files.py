"""The files of the Export menu: what was asked for, who may have them, and what the audit log is told."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from costs.exports import focus, usage
from tests.costs.pages.downloads_world import MONTH, World, used
from tests.costs.pages.downloads_world import world as world
from tests.pages import download, lines_of, text_of
from tests.providers.listening import Told

pytestmark = pytest.mark.any_engine


EXPORTS = [("usage", usage.COLUMNS, "cost", "currency"), ("focus", focus.COLUMNS, "BilledCost", "BillingCurrency")]


@pytest.mark.parametrize(("kind", "heads", "cost", "currency"), EXPORTS)
def test_an_export_holds_what_was_asked_for(
    signed_in: Client, world: World, kind: str, heads: tuple[str, ...], cost: str, currency: str
) -> None:
    """This month or a range, of everything, of a provider, of a company, of both."""
    days = "from=2026-11-09&to=2026-11-15"
    ninth, fifteenth = date(2026, 11, 9), date(2026, 11, 15)
    asked: dict[str, dict[str, Decimal]] = {
        "": used(*MONTH),
        days: used(ninth, fifteenth),
        f"{days}&provider={world.staging.pk}": used(ninth, fifteenth, project__provider=world.staging),
        f"{days}&company={world.acme.pk}": used(ninth, fifteenth, company=world.acme),
        f"company={world.globex.pk}&provider={world.production.pk}": used(
            *MONTH, company=world.globex, project__provider=world.production
        ),
        f"{days}&company=&provider=": used(ninth, fifteenth),
        "from=2026-10-01&to=2026-10-31": {},
    }

    for query, expected in asked.items():
        lines = lines_of(signed_in.get(f"/exports/{kind}.csv?{query}"))
        assert tuple(lines[0]) == heads
        found: dict[str, Decimal] = {}
        for line in lines[1:]:
            row = dict(zip(heads, line, strict=True))
            if row[cost]:
                name = row[currency].lower()
                found[name] = found.get(name, Decimal(0)) + Decimal(row[cost])
        assert {name: amount for name, amount in found.items() if amount} == expected, query


def test_the_usage_export_keeps_rows_without_a_price_and_focus_does_not(signed_in: Client, world: World) -> None:
    """Two of them, one of them split."""
    usage = download(signed_in, "/exports/usage.csv")
    focus_rows = download(signed_in, "/exports/focus.csv")

    unpriced = [row for row in usage if not row["cost"]]
    assert {(row["date"], row["model"]) for row in unpriced} == {("2026-11-09", "stt"), ("2026-11-20", "stt")}
    assert len(usage) - len(unpriced) == len(focus_rows)


@pytest.mark.parametrize("kind", ["usage", "focus"])
@pytest.mark.parametrize(
    "query",
    [
        "provider=4711",
        "company=4711",
        "provider=x",
        "company=-1",
        "company=1.0",
        "provider=%00",
        "company=" + "9" * 30,
        "company=" + "9" * 5000,
        "company=²",
        "provider=١",
    ],
)
def test_an_export_of_what_is_not_there_is_not_found(
    signed_in: Client, world: World, told: Told, kind: str, query: str
) -> None:
    """Never a file of something else, and nothing is announced."""
    assert signed_in.get(f"/exports/{kind}.csv?{query}").status_code == 404
    assert told.acts == []


@pytest.mark.parametrize("kind", ["usage", "focus"])
def test_an_export_of_a_bad_range_says_so(signed_in: Client, world: World, told: Told, kind: str) -> None:
    """422 and a sentence; nothing is announced."""
    response = signed_in.get(f"/exports/{kind}.csv?from=2026-11-02&to=2026-11-01")

    assert response.status_code == 422
    page = text_of(response.content)
    assert "Nothing was exported" in page
    assert "The range ends (1 Nov 2026) before it begins (2 Nov 2026)." in page
    assert told.acts == []


@pytest.mark.parametrize("kind", ["usage", "focus"])
def test_an_export_is_announced(signed_in: Client, world: World, told: Told, kind: str) -> None:
    """What left, of which days, and of whom: a company, a provider, or everything."""
    days = "from=2026-11-09&to=2026-11-15"
    for query in ("", f"&company={world.acme.pk}", f"&provider={world.staging.pk}"):
        signed_in.get(f"/exports/{kind}.csv?{days}{query}")

    assert told.actions == ["usage.exported"] * 3
    assert [str(act.target) for act in told.acts] == ["operator", "Acme", "Staging"]
    assert all(act.new | {"format": kind, "from": "2026-11-09", "to": "2026-11-15"} == act.new for act in told.acts)


def test_an_export_of_a_companys_part_names_both(signed_in: Client, world: World, told: Told) -> None:
    """Otherwise the log would tell of more than left."""
    signed_in.get(f"/exports/usage.csv?company={world.acme.pk}&provider={world.staging.pk}")

    [act] = told.acts
    assert act.new == {
        "format": "usage", "from": "2026-11-01", "to": "2026-11-22", "company": "Acme", "provider": "Staging",
    }  # fmt: skip


def test_the_menu_leads_to_the_exports_of_what_is_shown(signed_in: Client, world: World) -> None:
    """With the page's range and filter, and of a company's page that company's."""
    days = "from=2026-11-09&to=2026-11-15"
    provider = f"&amp;provider={world.production.pk}"
    asked = days.replace("&", "&amp;")

    dashboard = signed_in.get(f"/?{days}&provider={world.production.pk}").content.decode()
    company = signed_in.get(f"{world.acme.get_absolute_url()}?{days}").content.decode()

    for kind in ("usage", "focus"):
        assert f'href="/exports/{kind}.csv?{asked}{provider}" download' in dashboard
        assert f'href="/exports/{kind}.csv?{asked}&amp;company={world.acme.pk}" download' in company


@pytest.mark.parametrize("path", ["/exports/usage.csv", "/exports/focus.csv"])
def test_exports_are_only_read_by_who_is_signed_in(client: Client, signed_in: Client, path: str) -> None:
    """And never posted to."""
    assert signed_in.post(path).status_code == 405
    assert Client().get(path).status_code == 302

""" "CSV (this view)" of every table on every page, and the exports of every usage row."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role
from core.money import Money
from costs.models import DailyUsage, ReadDay
from costs.pages.formatters import UNREAD
from elevenlabs_sync.words import WORDS
from providers.models import Project, Provider
from tests.costs.pages.downloads_world import AWKWARD, FORMULA, MONTH, World, used
from tests.costs.pages.downloads_world import world as world
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_restatement,
    make_run,
    make_usage,
    make_user,
)
from tests.pages import column, download, file_name, lines_of, sums, text_of
from tests.providers.listening import Told

pytestmark = pytest.mark.any_engine


def shown_total(html: str, slug: str) -> str:
    """The row of totals of the table above the link to its CSV."""
    above = html[: re.search(rf"[?;]csv={slug}\"", html).start()]  # type: ignore[union-attr]  # else it fails
    return text_of(above[above.rindex("<tfoot>") :].encode())


# Where a table is, what ?csv= calls it, its column of money, and whose usage it holds.
Place = tuple[Callable[[World], str], str, str, Callable[[World], dict[str, Any]]]
PLACES: list[Place] = [
    (lambda _: "/", "companies", "Spend", lambda _: {}),
    (lambda _: "/", "days", "Total", lambda _: {}),
    (lambda _: "/?by=provider", "days", "Total", lambda _: {}),
    (lambda _: "/?by=model", "days", "Total", lambda _: {}),
    (lambda w: f"/?provider={w.staging.pk}", "companies", "Spend", lambda w: {"project__provider": w.staging}),
    (lambda w: f"/?provider={w.production.pk}", "days", "Total", lambda w: {"project__provider": w.production}),
    (lambda _: "/companies/", "companies", "Spend", lambda _: {}),
    (
        lambda w: f"/companies/?provider={w.staging.pk}",
        "companies",
        "Spend",
        lambda w: {"project__provider": w.staging},
    ),
    (lambda w: w.acme.get_absolute_url(), "models", "Spend", lambda w: {"company": w.acme}),
    (lambda w: w.acme.get_absolute_url(), "keys", "Spend", lambda w: {"company": w.acme}),
    (lambda w: w.acme.get_absolute_url(), "days", "Total", lambda w: {"company": w.acme}),
    (
        lambda w: f"{w.globex.get_absolute_url()}?provider={w.production.pk}",
        "keys",
        "Spend",
        lambda w: {"company": w.globex, "project__provider": w.production},
    ),
    (
        lambda w: f"{w.acme.get_absolute_url()}?provider={w.staging.pk}",
        "models",
        "Spend",
        lambda w: {"company": w.acme, "project__provider": w.staging},
    ),
    (lambda _: "/models/", "models", "Spend", lambda _: {}),
    (
        lambda w: f"/models/?provider={w.production.pk}",
        "models",
        "Spend",
        lambda w: {"project__provider": w.production},
    ),
    (lambda _: "/models/usage/?model=tts", "companies", "Spend", lambda _: {"model": "tts"}),
    (lambda _: "/models/usage/?model=tts", "keys", "Spend", lambda _: {"model": "tts"}),
    (lambda _: "/models/usage/?model=tts", "days", "Total", lambda _: {"model": "tts"}),
    (lambda _: "/models/usage/?model=", "keys", "Spend", lambda _: {"model": ""}),
    (
        lambda w: f"/models/usage/?model=tts&provider={w.production.pk}",
        "keys",
        "Spend",
        lambda w: {"model": "tts", "project__provider": w.production},
    ),
    (lambda w: w.production.get_absolute_url(), "keys", "Spend", lambda w: {"project__provider": w.production}),
    (lambda w: w.production.get_absolute_url(), "models", "Spend", lambda w: {"project__provider": w.production}),
    (lambda w: w.production.get_absolute_url(), "days", "Total", lambda w: {"project__provider": w.production}),
    (lambda w: w.staging.get_absolute_url(), "keys", "Spend", lambda w: {"project__provider": w.staging}),
]


@pytest.mark.parametrize("query", ["", "from=2026-11-09&to=2026-11-15"])
def test_every_table_adds_up_to_the_total_that_is_shown(signed_in: Client, world: World, query: str) -> None:
    """Its money, exactly, in every currency, of any range; the page shows the same sum, rounded."""
    first, last = (date(2026, 11, 9), date(2026, 11, 15)) if query else MONTH
    for path, slug, money, filters in PLACES:
        url = f"{path(world)}{'&' if '?' in path(world) else '?'}{query}".rstrip("?&")
        joint = "&" if "?" in url else "?"

        html = signed_in.get(url).content.decode()
        rows = download(signed_in, f"{url}{joint}csv={slug}")

        expected = used(first, last, **filters(world))
        assert sums(rows, money) == expected, (url, slug)
        assert expected, (url, slug)
        for currency, amount in expected.items():
            assert str(Money(currency, amount)) in shown_total(html, slug), (url, slug)


@pytest.mark.parametrize("query", ["", "?sort=-spend"])
def test_the_list_of_providers_adds_up(signed_in: Client, world: World, query: str) -> None:
    """It is always of this month."""
    rows = download(signed_in, f"/providers/{query or '?'}&csv=providers")

    assert sums(rows, "Spend this month") == used(*MONTH)
    total = shown_total(signed_in.get(f"/providers/{query}").content.decode(), "providers")
    assert all(str(Money(*money)) in total for money in used(*MONTH).items())


def test_every_table_links_to_its_csv(signed_in: Client, world: World) -> None:
    """Once each, and each link is a file."""
    key = Project.objects.filter(provider=world.production).first()
    assert key
    make_restatement(project=key)
    make_run(provider=world.production, outcome="succeeded", finished_at=NOW)
    page = world.production.get_absolute_url()
    expected = {
        "/": {"companies", "days", "movements"},
        "/companies/": {"companies"},
        world.acme.get_absolute_url(): {"models", "keys", "assignments", "days", "movements"},
        "/models/": {"models"},
        "/models/usage/?model=tts": {"companies", "keys", "days"},
        "/providers/": {"providers"},
        page: {"keys", "models", "days", "restatements", "syncs"},
        f"{page}restatements/?from=2020-01-01&to=2026-11-22": {"restatements"},
    }

    for url, slugs in expected.items():
        html = signed_in.get(url).content.decode()
        links = re.findall(r'<a href="([^"]*[?;]csv=([a-z]+))" download>CSV \(this view\)</a>', html)
        assert sorted(slug for _url, slug in links) == sorted(slugs), url
        for link, _slug in links:
            assert len(lines_of(signed_in.get(link.replace("&amp;", "&")))) > 1, link


def test_the_days_of_many_models_add_up_with_the_rest_as_other(signed_in: Client) -> None:
    """Ten have a column of their own."""
    key = make_project()
    for number in range(1, 14):
        make_usage(project=key, model=f"m{number}", day=date(2026, 11, number % 3 + 1), cost=Decimal(number))

    rows = download(signed_in, "/?by=model&csv=days")

    heads = [*(f"m{number}" for number in range(13, 3, -1)), "Other", "Total"]
    assert list(rows[0])[:13] == ["Day", *(f"{head} (USD)" for head in heads)]
    assert {head: sums(rows, head)["usd"] for head in heads} == {
        **{f"m{number}": number for number in range(13, 3, -1)},
        "Other": 6,
        "Total": 91,
    }


def test_amounts_of_every_figure_are_exact(signed_in: Client, world: World) -> None:
    """Credits, minutes and requests as the cost; of keys they add up to the usage."""
    rows = download(signed_in, f"{world.production.get_absolute_url()}?csv=keys")

    for name in ("credits", "minutes", "requests"):
        stored = DailyUsage.objects.for_provider(world.production).values_list(name, flat=True)
        assert sum(Decimal(row[name.capitalize()]) for row in rows) == sum(stored), name


def test_unknown_figures_are_empty_with_their_reasons(signed_in: Client, world: World) -> None:
    """Unpriced, not reported, not read, may be restated, estimated."""
    ReadDay.objects.filter(day=date(2026, 11, 3)).delete()
    DailyUsage.objects.filter(project__name="Free", model="tts").update(estimated=True)
    make_usage(project=Project.objects.get(name="Free"), model="other", cost=None)

    days = {row["Day"]: row for row in download(signed_in, "/models/usage/?model=other&csv=days")}
    keys = {row["API key"]: row for row in download(signed_in, f"{world.staging.get_absolute_url()}?csv=keys")}
    models = {row["Model"]: row for row in download(signed_in, f"{world.production.get_absolute_url()}?csv=models")}

    assert (
        days["2026-11-21"]["Notes"]
        == f"Day: {WORDS.provisional}. Unassigned: {WORDS.unpriced}. Total: {WORDS.unpriced}"
    )
    assert [days["2026-11-03"]["Total (USD)"], days["2026-11-03"]["Notes"]] == [
        "",
        f"Unassigned: {UNREAD}. Total: {UNREAD}",
    ]
    assert [days["2026-11-04"]["Total (USD)"], days["2026-11-04"]["Notes"]] == ["0", ""]
    assert (models["other"]["Spend (USD)"], models["other"]["Notes"]) == ("", f"Spend: {WORDS.unpriced}")
    assert models[AWKWARD]["Notes"].startswith(f"Spend: {WORDS.estimated}")
    assert "Minutes" in keys["Euros"]
    assert keys["Euros"]["Minutes"] == "1.5"
    tts = download(signed_in, "/models/usage/?model=tts&csv=keys")
    assert [(row["Minutes"], row["Notes"]) for row in tts if "Euros" in row["API key"]] == [
        ("", f"Minutes: {WORDS.not_reported}")
    ]


def test_names_are_inert_and_whole(signed_in: Client, world: World) -> None:
    """In every table and as headings; quotes, commas, line breaks and other alphabets stay."""
    acme, page = world.acme.get_absolute_url(), world.production.get_absolute_url()
    expected = {
        ("/?csv=companies", "Company"): f"'{FORMULA}",
        ("/companies/?csv=companies", "Company"): f"'{FORMULA}",
        (f"{acme}?csv=keys", "API key"): f"'{FORMULA} (Production)",
        (f"{acme}?csv=assignments", "API key"): f"'{FORMULA}",
        (f"{acme}?csv=models", "Model"): AWKWARD,
        ("/models/?csv=models", "Model"): AWKWARD,
        ("/models/usage/?model=tts&csv=companies", "Company"): f"'{FORMULA}",
        ("/models/usage/?model=tts&csv=keys", "API key"): f"{AWKWARD} (Production)",
        (f"{page}?csv=keys", "API key"): AWKWARD,
        (f"{page}?csv=models", "Model"): AWKWARD,
    }

    for (url, head), name in expected.items():
        assert name in column(download(signed_in, url), head), url
    assert f"'{FORMULA} (USD)" in download(signed_in, "/?csv=days")[0]
    assert f"{AWKWARD} (USD)" in download(signed_in, "/?by=model&csv=days")[0]


def test_no_cell_begins_like_a_formula(signed_in: Client, world: World) -> None:
    """Nor any heading; numbers below zero are numbers."""
    key = Project.objects.get(name=FORMULA)
    make_run(provider=world.production, outcome="failed", error_text=FORMULA, started_at=NOW, finished_at=NOW)
    make_restatement(project=key, model=FORMULA)
    Provider.objects.filter(pk=world.production.pk).update(name="@Production")
    urls = [f"{path(world)}{'&' if '?' in path(world) else '?'}csv={slug}" for path, slug, *_ in PLACES]
    page = world.production.get_absolute_url()
    urls += [
        f"{page}?csv=syncs",
        f"{page}?csv=restatements",
        f"{page}restatements/?csv=restatements",
        "/providers/?csv=providers",
    ]

    for url in [*urls, "/exports/usage.csv", "/exports/focus.csv"]:
        for line in lines_of(signed_in.get(url)):
            for cell in line:
                assert not re.match(r"[=+@\t\r\n]|-(?![\d.]+$)", cell), (url, cell)


def test_the_order_is_that_of_the_view(signed_in: Client) -> None:
    """Sorted by the URL, with what is unassigned last where the page has it last."""
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY - timedelta(days=30), last=TODAY)
    for name, cost in (("b", 1), ("c", 3), ("a", 2)):
        key = make_project(provider=provider, name=f"key {name}")
        make_assignment(project=key, company=make_company(name=name))
        make_usage(project=key, cost=Decimal(cost))

    for sort, order in (("name", "abc"), ("-name", "cba"), ("spend", "bac"), ("-spend", "cab"), ("nonsense", "cab")):
        companies = column(download(signed_in, f"/companies/?sort={sort}&csv=companies"), "Company")
        keys = column(download(signed_in, f"{provider.get_absolute_url()}?sort={sort}&csv=keys"), "API key")
        assert companies == [*order, "Unassigned"], sort
        assert keys == [f"key {letter}" for letter in order], sort


def test_the_order_of_providers_is_that_of_the_view(signed_in: Client) -> None:
    """By name, by spend, and turned round."""
    for name, cost in (("b", 1), ("c", 3), ("a", 2)):
        make_usage(project=make_project(provider=make_provider(name=name)), cost=Decimal(cost))

    found = {
        sort: "".join(column(download(signed_in, f"/providers/?sort={sort}&csv=providers"), "Name"))
        for sort in ("name", "-name", "spend", "-spend")
    }

    assert found == {"name": "abc", "-name": "cba", "spend": "bac", "-spend": "cab"}


def test_a_table_in_pages_is_one_file(signed_in: Client) -> None:
    """All rows, whichever page is looked at, through the same filter."""
    provider, company = make_provider(name="Production"), make_company()
    for number in range(132):
        key = make_project(provider=provider, name=f"key {number:03}")
        if number % 2:
            make_assignment(project=key, company=company)
    url = provider.get_absolute_url()

    every = download(signed_in, f"{url}?page=2&sort=name&csv=keys")
    unassigned = signed_in.get(f"{url}?page=2&sort=-name&show=unassigned&csv=keys")

    assert column(every, "API key") == [f"key {number:03}" for number in range(132)]
    assert file_name(unassigned) == "administrate-production-unassigned-keys-2026-11-01-to-2026-11-22.csv"
    assert [line[0] for line in lines_of(unassigned)[1:]] == [f"key {number:03}" for number in range(130, -1, -2)]


def test_the_files_name_tells_range_and_filters(signed_in: Client, world: World) -> None:
    """What two files differ by is in their names; of tables that no range changes there is none."""
    days = "2026-11-09-to-2026-11-15"
    asked = "from=2026-11-09&to=2026-11-15"
    acme, page = world.acme.get_absolute_url(), world.production.get_absolute_url()
    expected = {
        f"/?{asked}&csv=companies": f"companies-{days}",
        f"/?{asked}&by=model&csv=days": f"model-days-{days}",
        f"/?{asked}&provider={world.staging.pk}&csv=days": f"company-days-staging-{days}",
        f"/companies/?{asked}&csv=companies": f"companies-{days}",
        f"{acme}?{asked}&csv=keys": f"acme-keys-{days}",
        f"{acme}?{asked}&provider={world.production.pk}&csv=models": f"acme-models-production-{days}",
        f"{acme}?{asked}&csv=assignments": "acme-assignments",
        f"/models/?{asked}&csv=models": f"models-{days}",
        f"/models/usage/?model=stt&{asked}&csv=companies": f"stt-companies-{days}",
        f"/models/usage/?model=stt&metric=credits&{asked}&csv=days": f"stt-credits-days-{days}",
        f"{page}?{asked}&csv=keys": f"production-keys-{days}",
        f"{page}?{asked}&metric=minutes&csv=days": f"production-minutes-days-{days}",
        f"{page}?{asked}&csv=syncs": "production-syncs",
        f"{page}?{asked}&csv=restatements": "production-restatements",
        f"{page}restatements/?{asked}&csv=restatements": f"production-restatements-{days}",
        "/providers/?csv=providers": "providers-2026-11-01-to-2026-11-22",
        f"/exports/usage.csv?{asked}": f"usage-{days}",
        f"/exports/focus.csv?{asked}&company={world.acme.pk}&provider={world.staging.pk}": f"focus-acme-staging-{days}",
    }

    assert {url: file_name(signed_in.get(url)) for url in expected} == {
        url: f"administrate-{name}.csv" for url, name in expected.items()
    }


@pytest.mark.parametrize("slug", ["nonsense", "", "csv", "key_csv", "%00"])
def test_an_unknown_table_is_the_page(signed_in: Client, world: World, slug: str) -> None:
    """As every unknown value in a URL."""
    for path in (
        "/",
        "/companies/",
        world.acme.get_absolute_url(),
        "/models/",
        "/models/usage/?model=tts",
        "/providers/",
    ):
        response = signed_in.get(f"{path}{'&' if '?' in path else '?'}csv={slug}")

        assert response.status_code == 200
        assert response["Content-Type"].startswith("text/html"), path


def test_of_a_range_that_cannot_be_used_there_is_no_file(signed_in: Client, world: World) -> None:
    """The page says why; a file of this month would be taken for what was asked for."""
    page = world.production.get_absolute_url()
    for url in (
        "/?csv=companies",
        "/?csv=days",
        "/companies/?csv=companies",
        f"{world.acme.get_absolute_url()}?csv=keys",
        "/models/?csv=models",
        "/models/usage/?model=tts&csv=days",
        f"{page}?csv=keys",
        f"{page}restatements/?csv=restatements",
    ):
        response = signed_in.get(f"{url}&from=2026-13-01")

        assert response.status_code == 422, url
        assert "“from” is not a date. Write it as YYYY-MM-DD." in text_of(response.content), url


def test_assignments_are_listed_with_their_days(signed_in: Client, world: World) -> None:
    """Whatever the range."""
    rows = download(signed_in, f"{world.acme.get_absolute_url()}?csv=assignments&from=2026-01-01&to=2026-01-31")

    assert [[row[name] for name in ("Provider", "Part (%)", "From", "Until", "Assigned")] for row in rows] == [
        ["Production", "100", "The beginning", "Now", "By hand"],
        ["Staging", "100", "2026-11-15", "Now", "By hand"],
        ["Production", "33.33", "The beginning", "Now", "By hand"],
    ]


def test_syncs_are_listed_with_what_they_did(signed_in: Client) -> None:
    """In plain numbers and days."""
    provider = make_provider()
    make_run(
        provider=provider,
        trigger="nightly",
        outcome="failed",
        error_text="ElevenLabs did not answer.",
        started_at=NOW - timedelta(minutes=3),
        finished_at=NOW,
        window_from=date(2026, 10, 19),
        window_to=TODAY,
        rows_read=1234,
        rows_inserted=1000,
        rows_changed=34,
        rows_unchanged=200,
    )

    [row] = download(signed_in, f"{provider.get_absolute_url()}?csv=syncs")

    assert list(row.values()) == [
        "2026-11-22T12:27:00+00:00", "Nightly", "3 min 0 s", "2026-10-19", "2026-11-22", "1234", "1000", "34", "200",
        "Failed", "ElevenLabs did not answer.",
    ]  # fmt: skip


def test_restatements_are_exact(signed_in: Client) -> None:
    """The latest on the provider's page as they read there; of the log every figure in a column."""
    key = make_project(provider=make_provider(), name="Support")
    make_restatement(project=key, day=date(2026, 11, 2))
    page = key.provider.get_absolute_url()

    [latest] = download(signed_in, f"{page}?csv=restatements")
    [logged] = download(signed_in, f"{page}restatements/?csv=restatements")

    assert latest["Old → new"] == "Cost $0.3000000001 → $0.375; Credits 1,000 → 1,250"
    assert (latest["Day"], latest["Noticed (UTC)"]) == ("2026-11-02", "2026-11-22T12:30:00+00:00")
    assert (logged["cost_before"], logged["cost_after"], logged["date"]) == ("0.3000000001", "0.375", "2026-11-02")


def test_keys_of_account_totals_are_unknown_in_the_file_too(signed_in: Client) -> None:
    """Empty, with the reason in its own column."""
    provider = make_provider(source=Provider.Source.ACCOUNT_TOTALS)
    make_read_days(provider=provider, first=date(2026, 11, 1), last=TODAY)
    make_project(provider=provider, name="Key")

    [row] = download(signed_in, f"{provider.get_absolute_url()}?csv=keys")

    assert [row[name] for name in ("Spend", "Credits", "Minutes", "Requests")] == [""] * 4
    assert "Spend: Account totals tell nothing of single keys" in row["Notes"]


def test_large_counts_have_no_separators(signed_in: Client) -> None:
    """A thousand keys are 1000, not "1,000"."""
    provider, company = make_provider(), make_company(name="Acme")
    keys = Project.objects.bulk_create(
        Project(provider=provider, external_id=f"{number:064x}", name="x") for number in range(1001)
    )
    make_assignment(project=keys[0], company=company)
    make_usage(project=keys[0])

    for url in ("/?csv=companies", "/companies/?csv=companies"):
        assert column(download(signed_in, url), "API keys today") == ["1", "1000"], url


def test_a_client_gets_files_of_what_it_sees(client: Client, now: object, world: World) -> None:
    """Its own models and days; no keys, no assignments, no other company, no exports."""
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[world.acme]))
    url = world.acme.get_absolute_url()

    assert sums(download(client, f"{url}?csv=models"), "Spend") == used(*MONTH, company=world.acme)
    assert sums(download(client, f"{url}?csv=days"), "Total") == used(*MONTH, company=world.acme)
    filtered = download(client, f"{url}?provider={world.staging.pk}&csv=models")
    assert sums(filtered, "Spend") == used(*MONTH, company=world.acme)
    for slug in ("keys", "assignments"):
        page = client.get(f"{url}?csv={slug}")
        assert page["Content-Type"].startswith("text/html")
        assert "Production" not in page.content.decode()
    for path in (f"{world.globex.get_absolute_url()}?csv=models", "/exports/usage.csv", "/?csv=companies"):
        assert client.get(path).status_code in {302, 404}, path


def test_a_file_of_a_table_is_announced_by_its_name(signed_in: Client, world: World, told: Told) -> None:
    """Which says what it holds; a page is nothing that leaves."""
    page = world.production.get_absolute_url()
    for url in (
        "/",
        "/?csv=nonsense",
        "/?csv=companies&from=nonsense",
        "/?csv=companies",
        f"{world.acme.get_absolute_url()}?csv=keys&provider={world.staging.pk}",
        f"{page}?csv=syncs",
        f"{page}restatements/?csv=restatements",
        "/providers/?csv=providers",
    ):
        signed_in.get(url)

    month = "2026-11-01-to-2026-11-22"
    assert [(act.action, str(act.target)) for act in told.acts] == [
        ("table.exported", f"administrate-companies-{month}.csv"),
        ("table.exported", f"administrate-acme-keys-staging-{month}.csv"),
        ("table.exported", "administrate-production-syncs.csv"),
        ("table.exported", f"administrate-production-restatements-{month}.csv"),
        ("table.exported", f"administrate-providers-{month}.csv"),
    ]

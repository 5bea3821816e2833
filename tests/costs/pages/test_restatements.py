"""The restatement log: the latest on the provider's page, all of them on a page of their own."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from costs.pages.restatements import FILE_COLUMNS, exact
from providers.models import Provider
from tests.factories import NOW, TODAY, make_project, make_provider, make_restatement, make_run
from tests.pages import printed, rows_under, text_of
from tests.providers.commands import ran

pytestmark = pytest.mark.any_engine


NASTY = "<b>x</b>"
ALL = "?from=2020-01-01&to=2026-11-22"


def url(provider: Provider, query: str = ALL) -> str:
    return f"/providers/{provider.pk}/restatements/{query}"


def test_the_providers_page_shows_the_latest_twenty(signed_in: Client) -> None:
    """Newest first, with the way to all of them."""
    key = make_project(provider=make_provider(model_names={"eleven_v3": "Eleven v3"}), name="Support line")
    run = make_run(provider=key.provider, trigger="nightly", outcome="succeeded", finished_at=NOW)
    make_restatement(project=key, run=run, requests_before=5, requests_after=None)
    for hours in range(1, 25):
        make_restatement(project=key, restated_at=NOW - timedelta(hours=hours), day=date(2026, 1, 1))

    page = signed_in.get(key.provider.get_absolute_url()).content.decode()
    log = page[page.index('id="restatements"') : page.index('id="history-title"')]
    rows = rows_under(log, "Day")

    assert len(rows) == 20
    assert rows[0] == (
        "2 Nov 2026",
        "Support line",
        "Eleven v3",
        "Cost $0.3000000001 → $0.375 Credits 1,000 → 1,250 Requests 5 → —",
        "22 Nov 2026, 12:30 by a nightly sync",
    )
    assert {row[3] for row in rows[1:]} == {"Cost $0.3000000001 → $0.375 Credits 1,000 → 1,250"}
    assert f"/providers/{key.provider.pk}/restatements/?from=2020-01-01&amp;to=2026-11-22" in page


def test_without_restatements_the_page_is_silent(signed_in: Client) -> None:
    """Most providers never have one."""
    assert 'id="restatements"' not in signed_in.get(make_provider().get_absolute_url()).content.decode()


def test_another_providers_restatements_are_not_shown(signed_in: Client) -> None:
    """Neither on its page nor in the log."""
    provider = make_provider()
    make_restatement(project=make_project())

    assert 'id="restatements"' not in signed_in.get(provider.get_absolute_url()).content.decode()
    assert "No settled day of" in signed_in.get(url(provider)).content.decode()


def test_the_log_is_cut_by_the_days_of_the_url(signed_in: Client) -> None:
    """Both inclusive; this month without a word."""
    key = make_project()
    for day in (date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 1)):
        make_restatement(project=key, day=day)

    october = text_of(signed_in.get(url(key.provider, "?from=2026-10-01&to=2026-10-31")).content)
    default = text_of(signed_in.get(url(key.provider, "")).content)

    assert "1–31 Oct 2026, UTC" in october
    assert "1–2 of 2" in october
    assert "1–1 of 1" in default


def test_the_log_comes_in_pages(signed_in: Client) -> None:
    """Fifty each; the range is kept."""
    key = make_project()
    for _ in range(120):
        make_restatement(project=key)

    first = signed_in.get(url(key.provider)).content.decode()
    last = signed_in.get(url(key.provider, f"{ALL}&page=99")).content.decode()

    assert "1–50 of 120" in first
    assert "from=2020-01-01&amp;to=2026-11-22&amp;page=2" in first
    assert "101–120 of 120" in last


def test_a_change_of_currency_is_seen(signed_in: Client) -> None:
    """Each amount in its own."""
    key = make_project()
    make_restatement(project=key, cost_after=Decimal("0.3000000001"), currency_after="eur")

    [row] = printed(signed_in, url(key.provider), "Day")
    assert row[3].startswith("Cost $0.3000000001 → €0.3000000001")


def test_what_was_unknown_is_a_dash(signed_in: Client) -> None:
    """What has not changed is not named."""
    key = make_project()
    make_restatement(project=key, cost_before=None, currency_before="", credits_after=Decimal(1000))

    [row] = printed(signed_in, url(key.provider), "Day")

    assert row[3] == "Cost — → $0.375"


def test_names_are_text(signed_in: Client) -> None:
    """Of the key, the model and the provider."""
    key = make_project(provider=make_provider(name=NASTY), name=NASTY)
    make_restatement(project=key, model=NASTY)

    for path in (url(key.provider), key.provider.get_absolute_url()):
        page = signed_in.get(path).content.decode()
        assert NASTY not in page
        assert page.count("&lt;b&gt;x&lt;/b&gt;") >= 3


@pytest.mark.parametrize("rows", [1, 130])
def test_the_log_takes_few_queries(
    signed_in: Client, django_assert_max_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    """However long it is."""
    key = make_project()
    for _ in range(rows):
        make_restatement(project=key, run=make_run(provider=key.provider, outcome="failed", finished_at=NOW))

    with django_assert_max_num_queries(5):
        signed_in.get(url(key.provider))


@pytest.mark.django_db
def test_a_bad_range_and_unknown_ids(signed_in: Client) -> None:
    """422 with this month, 404, 405."""
    provider = make_provider()

    assert signed_in.get(url(provider, "?from=2026-13-01")).status_code == 422
    assert signed_in.get("/providers/4711/restatements/").status_code == 404
    assert signed_in.post(url(provider)).status_code == 405


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (0, "0"),
        (Decimal("0E-10"), "0"),
        (Decimal("1234567.8900000000"), "1,234,567.89"),
        (Decimal("1E+3"), "1,000"),
        (1234567, "1,234,567"),
    ],
)
def test_every_stored_digit_is_written(value: Decimal | int | None, text: str) -> None:
    """Without padding or exponent."""
    assert exact(value) == text


@pytest.mark.django_db
def test_the_log_is_exported_with_every_digit() -> None:
    """What stood, what stands since, when; unknown is empty, and a name that looks like a formula is inert."""
    project = make_project(provider=make_provider(name="Production"), name="=HYPERLINK(1)", external_id="ab12")
    make_restatement(project=project)

    lines = ran("export_usage", "--restatements").splitlines()

    assert lines[0] == ",".join(FILE_COLUMNS)
    what = f"{NOW.isoformat()},,{(TODAY - timedelta(days=20)).isoformat()},Production,ab12,'=HYPERLINK(1),eleven_v3"
    assert lines[1:] == [f"{what},1000,1250,,,,,0.3000000001,0.375,usd,usd"]


@pytest.mark.django_db
def test_the_exported_log_is_of_the_days_and_provider_asked_for() -> None:
    """As the export of usage."""
    wanted, other = (make_project(provider=make_provider(name=name)) for name in ("One", "Two"))
    for project in (wanted, other):
        for day in (14, 15):
            make_restatement(project=project, day=TODAY.replace(day=day))

    lines = ran("export_usage", "--restatements", "--provider", "One", "--from", "2026-11-15").splitlines()[1:]

    assert [line.split(",")[2:4] for line in lines] == [["2026-11-15", "One"]]

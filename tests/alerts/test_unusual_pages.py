"""The pages of unusual spending: the list, an episode, and what somebody says of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Role
from alerts.models import SpendEpisode
from providers.models import Company, Project
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_episode,
    make_project,
    make_provider,
    make_usage,
    make_user,
)
from tests.pages import page_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def episode() -> SpendEpisode:
    project: Project = make_project(provider=make_provider(name="Agency"), name="Acme bot")
    company = make_company(name="Acme")
    make_assignment(project=project, company=company)
    make_usage(project=project, day=YESTERDAY, cost=Decimal(60))
    return make_episode(company=company)


def test_the_list_leads_to_each_episode(signed_in: Client, episode: SpendEpisode) -> None:
    """With what it came to."""
    page = page_of(signed_in, "/alerts/unusual/")

    assert "$40.00 more than usual on 21 Nov 2026" in page


def test_an_episode_says_what_was_spent_what_is_usual_and_what_is_behind_it(
    signed_in: Client, episode: SpendEpisode
) -> None:
    """By the figures as they are now."""
    page = page_of(signed_in, episode.get_absolute_url())

    for words in (
        "Spent $60.00",
        "Usual for these days $20.00",
        "Acme bot +$60.00",
        "21 Nov 2026 $60.00 $20.00 $40.00",
    ):
        assert words in page


def test_what_somebody_knows_is_kept_with_their_name(signed_in: Client, episode: SpendEpisode) -> None:
    """And ends it where it is expected."""
    signed_in.post(f"{episode.get_absolute_url()}say/", {"feedback": "expected"})

    episode.refresh_from_db()
    assert (episode.feedback, episode.ended) == ("expected", SpendEpisode.Ended.ACCEPTED)
    assert episode.feedback_by is not None


def test_what_nobody_offered_is_not_kept(signed_in: Client, episode: SpendEpisode) -> None:
    """The form has three answers."""
    signed_in.post(f"{episode.get_absolute_url()}say/", {"feedback": "whatever"})

    episode.refresh_from_db()
    assert episode.feedback == ""


def test_charts_mark_its_days_and_lead_to_it(signed_in: Client, episode: SpendEpisode) -> None:
    """On the company's page: a sign over the bar, and a link in the legend."""
    html = signed_in.get(f"/companies/{episode.company_id}/?from=2026-11-01&to=2026-11-22").content.decode()

    assert html.count('class="chart__mark"') == 1
    assert f'<a href="{episode.get_absolute_url()}"><bdi>Acme: $40.00 more than usual</bdi></a>' in html


def test_the_dashboards_chart_marks_them_but_for_those_of_keys(signed_in: Client, episode: SpendEpisode) -> None:
    """Those of companies and providers say enough."""
    make_episode(project=Project.objects.get(), first_day=YESTERDAY - timedelta(days=3))

    html = signed_in.get("/?from=2026-11-01&to=2026-11-22").content.decode()

    assert html.count('class="chart__mark"') == 1
    assert f'<a href="{episode.get_absolute_url()}"><bdi>Acme: $40.00 more than usual</bdi></a>' in html


def test_a_company_is_named_before_the_provider_that_it_used(signed_in: Client, episode: SpendEpisode) -> None:
    """Both spend the same more, mostly; the provider a little more of it."""
    make_episode(provider=Project.objects.get().provider, actual=episode.actual + 5)

    html = signed_in.get("/?from=2026-11-01&to=2026-11-22").content.decode()

    assert html.count('class="chart__mark"') == 1
    assert "<bdi>Acme: $40.00 more than usual</bdi>" in html
    assert "<bdi>Agency: " not in html


def test_what_a_legend_has_no_room_for_is_a_link_away(signed_in: Client, episode: SpendEpisode) -> None:
    """Three are named, for the keyboard as well."""
    for days in range(1, 5):
        make_episode(
            company=make_company(),
            first_day=YESTERDAY - timedelta(days=days),
            last_day=YESTERDAY - timedelta(days=days),
        )

    html = signed_in.get("/?from=2026-11-01&to=2026-11-22").content.decode()

    assert html.count("more than usual</bdi></a>") == 3
    assert '<a href="/alerts/unusual/">and 2 more</a>' in html


def test_a_dashboard_of_one_provider_marks_its_own_days(signed_in: Client, episode: SpendEpisode) -> None:
    """Not those of a company, which may use others."""
    provider = Project.objects.get().provider
    make_episode(provider=provider)

    html = signed_in.get(f"/?provider={provider.pk}&from=2026-11-01&to=2026-11-22").content.decode()

    assert "<bdi>Agency: $40.00 more than usual</bdi>" in html
    assert "Acme: $40.00 more than usual" not in html


def test_the_page_of_an_api_key_marks_its_own_days(signed_in: Client, episode: SpendEpisode) -> None:
    """As those of companies and providers do."""
    key = Project.objects.get()
    own = make_episode(project=key)

    html = signed_in.get(f"/keys/{key.pk}/?from=2026-11-01&to=2026-11-22").content.decode()

    assert f'<a href="{own.get_absolute_url()}"><bdi>Acme bot: $40.00 more than usual</bdi></a>' in html
    assert "Acme: $40.00" not in html


def test_a_companys_own_viewers_see_no_mark(client: Client, now: object, episode: SpendEpisode) -> None:
    """What they are told of it is written apart."""
    companies = list(Company.objects.all())
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=companies))

    html = client.get(f"/companies/{episode.company_id}/?from=2026-11-01&to=2026-11-22").content.decode()

    assert "chart__mark" not in html
    assert "more than usual" not in html

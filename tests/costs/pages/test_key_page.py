"""The page of one key: what it used, who paid for it when, what it is called."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.audit.models import AuditEntry
from costs.models import ConversationDay
from providers.models import BEGINNING, Assignment, AssignmentChange, Project
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_rule,
    make_usage,
)
from tests.pages import download, figure, page_of, text_of

pytestmark = pytest.mark.any_engine


@pytest.fixture
def key(db: None) -> Project:
    """Acme's, then Globex's; three of the four dollars of its workspace."""
    provider = make_provider(name="Production", model_names={"tts": "Text to speech", "stt": "Speech to text"})
    make_read_days(provider=provider, first=TODAY - timedelta(days=30), last=TODAY)
    project = make_project(provider=provider, name="acme_tts", label="Hotline", hint="a91f", first_used_on=TODAY)
    make_assignment(project=project, company=make_company(name="Acme"))
    make_assignment(project=project, company=make_company(name="Globex"), starts_on=date(2026, 11, 10))
    make_usage(project=project, model="tts", day=date(2026, 11, 5), cost=Decimal(2))
    make_usage(project=project, model="stt", day=date(2026, 11, 15), cost=Decimal(1))
    make_usage(project=make_project(provider=provider), cost=Decimal(1))
    return project


def test_it_tells_what_the_key_used(
    signed_in: Client, key: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """In figures and by model, with its share of the workspace."""
    with django_assert_max_num_queries(15):
        page = page_of(signed_in, f"/keys/{key.pk}/")

    assert figure(page, "Spend this month", until="1–22 Nov 2026") == "$3.00"
    assert figure(page, "Share", until="of what Production used") == "75.0 %"
    assert "there called “acme_tts”" in page
    assert [(row["Model"], row["Spend (USD)"]) for row in download(signed_in, f"/keys/{key.pk}/?csv=models")] == [
        ("Text to speech", "2"),
        ("Speech to text", "1"),
    ]


def test_it_tells_each_day_by_model(signed_in: Client, key: Project) -> None:
    """Of the range that is asked for."""
    rows = download(signed_in, f"/keys/{key.pk}/?from=2026-11-05&to=2026-11-05&csv=days")

    assert [(row["Day"], row["Text to speech (USD)"]) for row in rows] == [("2026-11-05", "2")]


def test_it_tells_who_paid_when_and_the_rule(signed_in: Client, key: Project) -> None:
    """Newest first, with what each period was decided by."""
    make_rule(pattern="hot", company=make_company(name="Ruled"))

    page = page_of(signed_in, f"/keys/{key.pk}/")

    assert "Today: Globex ." in page
    assert page.index("Globex from 10 Nov 2026 · by hand") < page.index("Acme from the beginning until 9 Nov 2026")
    assert "Keys whose name starts with “hot” belong to Ruled" in page


def test_a_period_is_moved_on_the_page(signed_in: Client, key: Project) -> None:
    """And can be undone at once."""
    response = signed_in.post(f"/keys/{key.pk}/period/", {"starts_on": "2026-11-10", "to": "2026-11-01"}, follow=True)

    assert "the change of 10 Nov 2026 moved to 1 Nov 2026. Undo" in text_of(response.content)
    assert list(Assignment.objects.filter(project=key).values_list("starts_on", flat=True)) == [
        BEGINNING,
        date(2026, 11, 1),
    ]


def test_what_moving_a_period_moves_is_shown_first(signed_in: Client, key: Project) -> None:
    """Only the usage of the days between; nothing is saved."""
    later = page_of(signed_in, f"/keys/{key.pk}/period/?starts_on=2026-11-10&to=2026-11-20")
    earlier = page_of(signed_in, f"/keys/{key.pk}/period/?starts_on=2026-11-10&to=2026-11-01")
    removed = page_of(signed_in, f"/keys/{key.pk}/period/?starts_on=1970-01-01&remove=1")

    assert "from 10 Nov 2026 until 19 Nov 2026 will belong to Acme ." in later
    assert "Acme $0.00 $1.00 +$1.00 Globex $1.00 $0.00 −$1.00" in later
    assert "Globex $0.00 $2.00 +$2.00 Acme $2.00 $0.00 −$2.00" in earlier
    assert "from the beginning until 9 Nov 2026 will belong to no company." in removed
    assert "Unassigned $0.00 $2.00 +$2.00 Acme $2.00 $0.00 −$2.00" in removed
    assert not AssignmentChange.objects.exists()


def test_a_period_is_removed_on_the_page(signed_in: Client, key: Project) -> None:
    """The one before it goes on."""
    signed_in.post(f"/keys/{key.pk}/period/", {"starts_on": "2026-11-10", "remove": "1"})

    assert [period.payers for period in Assignment.objects.filter(project=key)] == ["Acme"]


@pytest.mark.parametrize("to", ["", "soon", "1999-01-01", "1970-01-01"])
def test_a_day_that_cannot_be_is_refused(signed_in: Client, key: Project, to: str) -> None:
    """In a sentence."""
    response = signed_in.post(f"/keys/{key.pk}/period/", {"starts_on": "2026-11-10", "to": to})

    assert response.status_code == 422
    assert not AssignmentChange.objects.exists()


def test_a_label_is_given_and_taken_back(signed_in: Client, key: Project) -> None:
    """Without the Django admin; both are in the audit log."""
    signed_in.post(f"/keys/{key.pk}/label/", {"label": " Support   line "})
    key.refresh_from_db()
    given = key.label

    signed_in.post(f"/keys/{key.pk}/label/", {"label": ""})

    key.refresh_from_db()
    assert (given, key.display_name) == ("Support line", "acme_tts")
    assert AuditEntry.objects.filter(action="keys.renamed").count() == 2


def test_a_key_is_no_label(signed_in: Client, key: Project) -> None:
    """Whoever pastes one by mistake is told, and it is not shown again."""
    secret = "sk_" + "ab12" * 12

    response = signed_in.post(f"/keys/{key.pk}/label/", {"label": secret})

    assert response.status_code == 422
    assert secret not in response.content.decode()


def test_calls_of_an_agent_are_told_beside_its_spend(signed_in: Client) -> None:
    """Sums of the days that were read; a list cost of those alone of which every call tells one."""
    agent = make_project(kind=Project.Kind.AGENT, external_id="agent_1", name="Booking line")
    for number, told in enumerate(([3, 90, "10", "0.30"], [1, 30, None, None], None)):
        agents = {"agent_1": told} if told else {"agent_2": [5, 5, None, "9"]}
        ConversationDay.objects.create(
            provider=agent.provider, day=date(2026, 11, 3 + number), read_at=NOW, agents=agents
        )

    text = page_of(signed_in, agent.get_absolute_url())

    assert "From its conversations of 3 days of this range." in text
    assert "Calls 4 Minutes 2.0 List cost per call $0.10 List cost per minute $0.20" in text


def test_no_calls_are_told_where_none_were_read(signed_in: Client, key: Project) -> None:
    """Neither of a key nor of an agent."""
    agent = make_project(kind=Project.Kind.AGENT, external_id="agent_1", name="Booking line")

    for project in (key, agent):
        assert "List cost" not in page_of(signed_in, project.get_absolute_url())

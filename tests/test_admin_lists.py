"""What somebody types into the addresses of the Django admin's lists."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.test import Client

from accounts.models import Role
from core.admin_lists import OfferedOnly
from tests.factories import make_company, make_project, make_provider, make_run, make_usage, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

PROVIDERS, USAGE = "/admin/providers/provider/", "/admin/costs/listedusage/"
HUGE = "9" * 40


@pytest.fixture
def lists(client: Client) -> Client:
    """An Admin's browser, with a row in the lists; a failing view answers 500."""
    client.force_login(make_user(role=Role.ADMIN))
    client.raise_request_exception = False
    project = make_project(provider=make_provider(name="Ours"))
    make_provider(name="Theirs", region="eu", api_key="sk_another_0000")
    make_usage(project=project, day=date(2026, 11, 3))
    make_run(provider=project.provider)
    make_company(name="Acme")
    return client


def test_every_list_answers_only_what_it_offers() -> None:
    """Also those that another app of ours will bring."""
    assert [model for model, shown in admin.site._registry.items() if not isinstance(shown, OfferedOnly)] == []


@pytest.mark.parametrize(
    "query",
    [
        {"name__regex": "["},
        {"name__iregex": "(a+)+$"},
        {"name__startswith": "O"},
        {"encrypted_key__startswith": "g"},
        {"created_at__week_day": "8"},
        {"id": HUGE},
        {"id__in": ",".join(["1"] * 40_000)},
        {"nothing": "x"},
        {"o": "1." * 3000},
    ],
    ids=lambda query: next(iter(query)),
)
def test_what_no_filter_offers_leads_back_to_the_list(lists: Client, query: dict[str, str]) -> None:
    """Whatever the database would have made of it."""
    response = lists.get(f"{PROVIDERS}?{urlencode(query)}")

    assert (response.status_code, response["Location"]) == (302, f"{PROVIDERS}?e=1")


@pytest.mark.parametrize(
    "query",
    [
        {"day__year": "9999"},
        {"day__year": "9999", "day__month": "12", "day__day": "31"},
        {"day__year": HUGE},
        {"day__year": "0"},
        {"day__month": "3"},
        {"day__week_day": "3"},
        {"day__gte": "["},
        {"day__year": "2026", "day__month": "x"},
        {"credits__gt": "1e400"},
        {"project__assignments__id": "1"},
        {"project__provider__name__regex": "["},
    ],
    ids=str,
)
def test_absurd_dates_lead_back_to_the_list(lists: Client, query: dict[str, str]) -> None:
    """Also a year after which there is none."""
    response = lists.get(f"{USAGE}?{urlencode(query)}")

    assert response.status_code in {302, 400}


@pytest.mark.parametrize(
    ("path", "query", "rows"),
    [
        (PROVIDERS, "type=elevenlabs", 2),
        (PROVIDERS, "region=eu", 1),
        (PROVIDERS, "q=our", 1),
        (PROVIDERS, f"q={'a+' * 2000}", 0),
        (PROVIDERS, "o=-1.2&p=1", 2),
        (PROVIDERS, f"o={HUGE}", 2),
        (PROVIDERS, f"p={HUGE}", 2),
        (USAGE, "day__year=2026&day__month=11", 1),
        (USAGE, "day__year=2025", 0),
        (USAGE, "estimated__exact=0&currency=usd", 1),
        (USAGE, f"project__provider__id__exact={HUGE}", 0),
        ("/admin/providers/syncrun/", "queued_at__year=1999", 0),
    ],
)
def test_what_the_lists_offer_works(lists: Client, path: str, query: str, rows: int) -> None:
    """Filters, search, order, pages and dates."""
    response = lists.get(f"{path}?{query}")

    assert response.status_code == 200
    assert response.context["cl"].result_count == rows


@pytest.mark.parametrize(
    "path", sorted(f"/admin/{m._meta.app_label}/{m._meta.model_name}/" for m in admin.site._registry)
)
@pytest.mark.parametrize(
    "query", ["_to_field=name", "_popup=1&_to_field=%5B", "all=%5B", "e=1", "_facets=1", "o=&p=&q=", "id__exact=%5B"]
)
def test_no_list_fails_on_a_strange_address(lists: Client, path: str, query: str) -> None:
    """It is shown, or leads back, or says that this can't be asked."""
    assert lists.get(f"{path}?{query}").status_code in {200, 302, 400}


@pytest.mark.parametrize("chosen", ["x", HUGE, "-1", "\0", "½"])
def test_a_row_that_no_list_has_can_not_be_chosen(lists: Client, chosen: str) -> None:
    """400, with any action."""
    response = lists.post(PROVIDERS, {"action": "pause", "_selected_action": chosen})

    assert response.status_code == 400


@pytest.mark.parametrize("pk", [HUGE, "-1", "x", "%00", "_5B", "a/b"])
@pytest.mark.parametrize("page", ["change", "history", "delete"])
def test_a_row_that_is_not_there_leads_back(lists: Client, pk: str, page: str) -> None:
    """Or is said to be missing."""
    assert lists.get(f"/admin/providers/company/{pk}/{page}/").status_code in {302, 400, 404}

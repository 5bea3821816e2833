"""Which lines of GET /costs hold usage that is a share of what was reported for several together."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from accounts.models import Role
from providers.models import Project
from tests.api.asking import Api, make_token
from tests.factories import make_assignment, make_company, make_project, make_provider, make_split, make_usage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]

SHARED, WHOLE = date(2026, 11, 3), date(2026, 10, 3)


@pytest.fixture
def api() -> Api:
    return Api(make_token())


@pytest.fixture
def agent() -> Project:
    """Some of whose usage is a share; beside it a key, all of whose usage was reported."""
    provider = make_provider(name="Main")
    agent = make_project(provider=provider, kind="agent", name="Clinic", is_allocated=True)
    make_usage(project=agent, day=SHARED, model="shared", allocated=True)
    make_usage(project=agent, day=WHOLE, model="whole")
    make_usage(project=make_project(provider=provider, name="Hotline"), day=SHARED, model="whole")
    return agent


def allocated(api: Api, group_by: str, **asked: Any) -> dict[str, bool]:
    lines = api.get("/costs", {"group_by": group_by, **asked}).json()["data"]
    return {str(line[group_by]): line["allocated"] for line in lines}


@pytest.mark.parametrize(
    ("group_by", "lines"),
    [
        ("project", {"Clinic": True, "Hotline": False}),
        ("model", {"shared": True, "whole": False}),
        ("day", {"2026-10-03": False, "2026-11-03": True}),
        ("month", {"2026-10": False, "2026-11": True}),
        ("provider", {"Main": True}),
    ],
)
def test_lines_that_hold_shares_say_so(api: Api, agent: Project, group_by: str, lines: dict[str, bool]) -> None:
    """However they are grouped, and no other."""
    assert allocated(api, group_by) == lines


def test_days_and_filters_hold_for_shares_too(api: Api, agent: Project) -> None:
    """A share that was not asked for marks nothing."""
    assert allocated(api, "project", to="2026-10-31") == {"Clinic": False}
    assert allocated(api, "project", model="whole") == {"Clinic": False, "Hotline": False}
    assert allocated(api, "model", project=agent.pk) == {"shared": True, "whole": False}


def test_shares_are_told_of_every_company_that_pays(agent: Project) -> None:
    """Of split usage too, and to who sees chosen companies alone."""
    acme, globex, other = (make_company(name=name) for name in ("Acme", "Globex", "Other"))
    make_split(project=agent, shares={acme: "60", globex: "40"})
    make_assignment(project=Project.objects.get(name="Hotline"), company=other)
    lines = Api(make_token()).get("/costs", group_by="company").json()["data"]
    viewer = Api(make_token(role=Role.COMPANY_VIEWER, companies=[globex]))

    assert {line["company"]["name"]: line["allocated"] for line in lines} == {
        "Acme": True,
        "Globex": True,
        "Other": False,
    }
    assert viewer.get("/costs").json()["data"][0]["allocated"] is True


def test_share_without_a_price_marks_the_line_that_it_is_in(api: Api, agent: Project) -> None:
    """The line of the only currency, which counts it."""
    make_usage(project=agent, day=SHARED, model="new", cost=None, allocated=True)

    (line,) = api.get("/costs", model=["new", "whole"]).json()["data"]

    assert (line["currency"], line["unpriced_rows"], line["allocated"]) == ("usd", 1, True)

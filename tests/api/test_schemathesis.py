"""The API against its own document: whatever that allows and forbids is sent, as each role, and no answer surprises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from accounts.models import Role
from administrate.wsgi import application
from providers.models import Company
from tests.alerts.worlds import make_budget
from tests.api.asking import make_token
from tests.conftest import FakeType
from tests.factories import (
    make_alert,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_rule,
    make_usage,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine, pytest.mark.usefixtures("now")]

ADDRESS = "/api/v1/openapi.json"
document = schemathesis.openapi.from_wsgi(ADDRESS, application)
# Without every edge of every parameter, which are the same for all.
briefly = schemathesis.openapi.from_wsgi(
    ADDRESS, application, config=SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
)
EASY_GOING = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """That of the test's transaction, which a server would close after each request."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def acme(elevenlabs: FakeType, monkeypatch: pytest.MonkeyPatch) -> Company:
    """In a world that has one of everything, where programs may ask as often as they like."""
    acme = make_company(name="Acme")
    project = make_project(provider=make_provider())
    make_assignment(project=project, company=acme)
    make_usage(project=project)
    make_rule(company=acme)
    make_budget(company=acme)
    make_alert(company=acme)
    monkeypatch.setattr("api.rates.LIMIT", 10**9)
    return acme


@pytest.fixture
def token(acme: Company) -> str:
    return make_token()


@document.parametrize()
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=EASY_GOING)
def test_answers_are_what_the_document_says(case: schemathesis.Case[Any], token: str) -> None:
    """Status, type and form of each; what can't be understood is refused, and nothing is an error of ours."""
    check(case, token)


@pytest.fixture(params=[Role.MEMBER, Role.VIEWER, Role.COMPANY_VIEWER])
def token_of_a_role(request: pytest.FixtureRequest, acme: Company) -> str:
    role: Role = request.param
    return make_token(role=role, companies=[acme] if role == Role.COMPANY_VIEWER else [])


@briefly.parametrize()
@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=EASY_GOING)
def test_every_role_is_answered_as_the_document_says(case: schemathesis.Case[Any], token_of_a_role: str) -> None:
    """What it may not, too."""
    check(case, token_of_a_role)


def check(case: schemathesis.Case[Any], token: str) -> None:
    """That a value is well formed does not make it known: a company's name that there is not is refused as well."""
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}

    case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

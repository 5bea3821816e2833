"""Whatever would add up to more than can be stored is refused on the page, in a sentence, and changes nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from costs.models import DailyUsage
from providers.models import Assignment, AssignmentChange, Company, Project, Provider
from providers.services.assigning import assign_projects
from providers.services.rules import preview_rules
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_rule,
    make_usage,
)

pytestmark = pytest.mark.django_db

YESTERDAY = TODAY - timedelta(days=1)
# The largest cost that a row, and a sum, can hold.
LARGEST = Decimal("922337203.6854775807")
EVENLY = Provider.KeylessSharing.EVENLY


@pytest.fixture
def acme() -> Company:
    """It has a key whose usage of yesterday cost the largest amount."""
    company, provider = make_company(name="Acme"), make_provider()
    key = make_project(provider=provider, first_used_on=YESTERDAY)
    make_assignment(project=key, company=company)
    use(key)
    return company


@pytest.fixture
def provider(acme: Company) -> Provider:
    return Provider.objects.get()


def use(project: Project) -> None:
    make_usage(project=project, day=YESTERDAY, model="same", cost=LARGEST)


def payers() -> dict[int, list[int]]:
    """The companies of each key's periods."""
    return {
        assignment.project_id: [share.company_id for share in assignment.shares.all()]
        for assignment in Assignment.objects.prefetch_related("shares")
    }


def assert_refused(answer: Any) -> None:
    assert answer.status_code == 422
    assert "Usage would add up to more than can be stored" in answer.content.decode()


def test_rules_are_not_applied(signed_in: Client, acme: Company, provider: Provider) -> None:
    """No key changes hands."""
    use(make_project(provider=provider, name="acme late"))
    make_rule(company=acme)
    before = payers()

    answer = signed_in.post(
        "/rules/apply/", {"applies_to": "all", "fingerprint": preview_rules(starts_on=None).fingerprint}
    )

    assert_refused(answer)
    assert payers() == before


def test_keyless_usage_is_not_shared(signed_in: Client, provider: Provider) -> None:
    """The setting stays as it was."""
    use(make_project(provider=provider, kind=Project.Kind.KEYLESS, name=""))

    answer = signed_in.post(f"/providers/{provider.pk}/keyless/", {"sharing": EVENLY})

    assert_refused(answer)
    provider.refresh_from_db()
    assert provider.keyless_sharing == Provider.KeylessSharing.NONE


def test_keyless_usage_is_not_given_back_to_the_setting(signed_in: Client, provider: Provider) -> None:
    """It stays assigned by hand."""
    Provider.objects.update(keyless_sharing=EVENLY)
    keyless = make_project(provider=provider, kind=Project.Kind.KEYLESS, name="")
    make_assignment(project=keyless, company=make_company())
    use(keyless)
    before = payers()

    answer = signed_in.post(f"/providers/{provider.pk}/keyless/", {"forget": ""})

    assert_refused(answer)
    assert payers() == before


def test_assignment_is_not_undone(signed_in: Client, acme: Company, provider: Provider) -> None:
    """It stays, and can be undone once there is room."""
    key = make_project(provider=provider)
    make_assignment(project=key, company=acme)
    change = assign_projects(projects=[key], company=make_company(), starts_on=None, now=NOW)
    use(key)
    before = payers()

    answer = signed_in.post(f"/assignments/{change.pk}/undo/")

    assert_refused(answer)
    assert payers() == before
    assert AssignmentChange.objects.get(pk=change.pk).undone_at is None


def test_rate_is_not_set(signed_in: Client) -> None:
    """Neither the rate nor an estimate."""
    usage = make_usage(credits=Decimal(10**9), cost=None)
    provider = usage.project.provider

    answer = signed_in.post(f"/providers/{provider.pk}/credit-rate/", {"rate": "1000", "currency": "usd"})

    assert answer.status_code == 422
    assert "more than can be stored" in answer.content.decode()
    assert DailyUsage.objects.get().cost is None

"""What pages say of figures that are not all there: the cause, and the button that helps, to those who may press it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client

from accounts.models import Role
from costs.models import ReadDay
from providers.models import Company, Provider
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_user,
)
from tests.pages import page_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

NOVEMBER = "from=2025-11-01&to=2025-11-30"
REVOKED = "ElevenLabs did not accept the API key: it is wrong or was revoked. Replace the key."


@pytest.fixture
def provider(now: object) -> Provider:
    """Its history begins in the middle of November 2025, and all of that was read."""
    made = make_provider(name="Production", history_from=date(2025, 11, 23))
    make_read_days(provider=made, first=made.history_from, last=TODAY)
    return made


def make_client(provider: Provider) -> Company:
    """A company with a key of the provider."""
    company = make_company()
    make_assignment(project=make_project(provider=provider), company=company)
    return company


def client_of(role: Role) -> Client:
    client = Client()
    client.force_login(make_user(role=role))
    return client


def html_of(client: Client, url: str) -> str:
    return client.get(url).content.decode()


# --- Days that were not read ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/companies/", "/models/", "{company}", "{provider}"])
def test_days_before_the_history_are_read_by_hand(signed_in: Client, provider: Provider, path: str) -> None:
    """The page says that nothing else reads them, and leads to the form with the days filled in."""
    url = path.format(company=make_client(provider).get_absolute_url(), provider=provider.get_absolute_url())

    page, html = page_of(signed_in, f"{url}?{NOVEMBER}"), html_of(signed_in, f"{url}?{NOVEMBER}")

    assert "Production: 22 of 30 days of this range have not been read yet." in page
    assert "Its history begins on 23 Nov 2025, and no sync reads earlier days by itself. Re-sync them by hand." in page
    assert f"/providers/{provider.pk}/resync/?from=2025-11-01&amp;to=2025-11-22" in html


def test_the_form_has_the_days_filled_in(signed_in: Client, provider: Provider) -> None:
    """Both ends of what lacks."""
    html = html_of(signed_in, f"/providers/{provider.pk}/resync/?from=2025-11-01&to=2025-11-22")

    assert 'value="2025-11-01"' in html
    assert 'value="2025-11-22"' in html


def test_who_may_not_sync_is_offered_no_button(provider: Provider) -> None:
    """The sentence stands alone."""
    html = html_of(client_of(Role.VIEWER), f"/?{NOVEMBER}")

    assert "Re-sync them by hand." in html
    assert "/resync/" not in html


def test_days_that_the_next_sync_reads_need_no_hand(signed_in: Client, provider: Provider) -> None:
    """A gap within the history."""
    ReadDay.objects.filter(day=date(2026, 11, 3)).delete()

    page, html = page_of(signed_in, "/"), html_of(signed_in, "/")

    assert "Production: 1 of 22 days of this range has not been read yet." in page
    assert "The next sync that succeeds reads them." in page
    assert "/resync/" not in html


def test_young_days_before_a_short_history_are_read_by_night(signed_in: Client) -> None:
    """Whatever the history, the nightly sync reads the last 35 days."""
    made = make_provider(name="New", history_from=TODAY)
    make_read_days(provider=made, first=TODAY, last=TODAY)

    assert "New: 21 of 22 days of this range have not been read yet." in page_of(signed_in, "/")
    assert "/resync/" not in html_of(signed_in, "/")


def test_days_of_a_paused_provider_wait_for_its_resuming(signed_in: Client, provider: Provider) -> None:
    """No sync comes by itself, and none can be asked for."""
    Provider.objects.update(paused_at=NOW)

    page, html = page_of(signed_in, f"/?{NOVEMBER}"), html_of(signed_in, f"/?{NOVEMBER}")

    assert "Syncing is paused; resume it to read them." in page
    assert f"/providers/{provider.pk}/resume/" in html


def test_each_of_several_providers_is_led_to(signed_in: Client, provider: Provider) -> None:
    """Those of which days must be read by hand."""
    other = make_provider(name="Staging", history_from=date(2025, 11, 1))

    page, html = page_of(signed_in, f"/?{NOVEMBER}"), html_of(signed_in, f"/?{NOVEMBER}")

    assert "Days of this range have not been read yet from Production and Staging." in page
    assert f"/providers/{provider.pk}/resync/?from=2025-11-01&amp;to=2025-11-22" in html
    assert f"/providers/{other.pk}/resync/" not in html


# --- Syncs that fail --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/companies/", "/models/"])
def test_revoked_key_is_the_cause_and_can_be_replaced(signed_in: Client, provider: Provider, path: str) -> None:
    """When it was synced last is not the point."""
    Provider.objects.update(failure_code="invalid_key", failure_text=REVOKED, last_synced_at=NOW - timedelta(minutes=3))

    page, html = page_of(signed_in, path), html_of(signed_in, path)

    assert f"Production: {REVOKED} Production last synced 3 min ago. Figures may be incomplete." in page
    assert f'<a href="/providers/{provider.pk}/key/">Replace key</a>' in html


def test_who_may_not_replace_a_key_is_not_offered_it(provider: Provider) -> None:
    """The cause is for everybody."""
    Provider.objects.update(failure_code="invalid_key", failure_text=REVOKED)

    html = html_of(client_of(Role.MEMBER), "/")

    assert "it is wrong or was revoked" in html
    assert "Replace key</a>" not in html


def test_failure_that_no_key_helps_against_leads_to_the_provider_alone(signed_in: Client, provider: Provider) -> None:
    """Another key would not answer either."""
    Provider.objects.update(failure_code="unavailable", failure_text="ElevenLabs is temporarily unavailable.")

    html = html_of(signed_in, "/")

    assert (
        "<bdi>Production</bdi>: ElevenLabs is temporarily unavailable. <bdi>Production</bdi> last synced 12 min ago"
        in html
    )
    assert "Replace key</a>" not in html


def test_company_viewer_learns_no_cause(provider: Provider) -> None:
    """Nor which providers there are."""
    Provider.objects.update(failure_code="invalid_key", failure_text=REVOKED)
    company = make_client(provider)
    client = Client()
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[company]))

    html = html_of(client, f"{company.get_absolute_url()}?{NOVEMBER}")

    assert "Some days of this range have not been read yet." in html
    assert "revoked" not in html
    assert "/providers/" not in html

"""/metrics: closed by default, and true when open."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from administrate.celery import app
from administrate.models import Heartbeat
from providers.models import SyncRun
from tests.factories import NOW, make_provider, make_run

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

TOKEN = "a-token-for-prometheus"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def scrape(client: Client, settings: Settings, now: object) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Filled when it is called."""
    settings.METRICS_TOKEN = TOKEN
    return {}


def samples(client: Client) -> dict[str, float]:
    """Every sample by its name and labels, as Prometheus writes them."""
    answer = client.get("/metrics", headers=BEARER)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    return {
        sample.name + "".join(f",{name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_without_a_token_in_the_settings_there_is_no_such_page(client: Client) -> None:
    """Closed, whatever is sent."""
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer ключ"])
def test_wrong_token_is_refused(client: Client, settings: Settings, given: str) -> None:
    """401, and nothing of the figures."""
    settings.METRICS_TOKEN = TOKEN

    answer = client.get("/metrics", headers={"Authorization": given.encode().decode("latin-1")})

    assert answer.status_code == 401
    assert b"administrate_" not in answer.content


def test_signing_in_does_not_open_it(signed_in: Client, settings: Settings) -> None:
    """It is for machines."""
    settings.METRICS_TOKEN = TOKEN

    assert signed_in.get("/metrics").status_code == 401


@pytest.mark.usefixtures("scrape")
def test_syncs_of_the_last_day_are_told(client: Client) -> None:
    """How many ended how, how long they took, what they read; older ones are left out."""
    provider = make_provider()
    for seconds, outcome, code in [(10, "succeeded", ""), (20, "succeeded", ""), (90, "failed", "invalid_key")]:
        make_run(
            provider=provider,
            outcome=outcome,
            error_code=code,
            started_at=NOW - timedelta(seconds=seconds),
            finished_at=NOW,
            rows_read=100,
            rows_inserted=7,
        )
    long_ago = NOW - timedelta(hours=25)
    make_run(provider=provider, outcome="failed", error_code="old", queued_at=long_ago, finished_at=long_ago)

    found = samples(client)

    assert found["administrate_sync_runs_24h,code=,outcome=succeeded"] == 2
    assert found["administrate_sync_runs_24h,code=invalid_key,outcome=failed"] == 1
    assert "administrate_sync_runs_24h,code=old,outcome=failed" not in found
    assert [found[f"administrate_sync_seconds_24h,quantile={share}"] for share in ("0.5", "0.95", "1")] == [20, 90, 90]
    assert found["administrate_sync_rows_24h,kind=read"] == 300
    assert found["administrate_sync_rows_24h,kind=inserted"] == 21


@pytest.mark.usefixtures("scrape")
def test_background_work_is_told(client: Client) -> None:
    """Late providers, waiting syncs, the clock's last tick, workers – a silent one does not count."""
    make_provider()
    late = make_provider(last_synced_at=NOW - timedelta(hours=3))
    make_run(provider=late)
    for kind, name, age in [("beat", "", 5), ("worker", "celery@one", 20), ("worker", "celery@two", 600)]:
        Heartbeat.objects.create(kind=kind, name=name, version="1", seen_at=NOW - timedelta(seconds=age))

    found = samples(client)

    assert found["administrate_providers,status=late"] == 1
    assert found["administrate_providers,status=connected"] == 1
    assert found["administrate_syncs_waiting"] == 1
    assert found["administrate_last_beat_timestamp_seconds"] == NOW.timestamp() - 5
    assert found["administrate_workers"] == 1
    assert found["administrate_broker_up"] == 1


@pytest.mark.usefixtures("scrape")
def test_missing_broker_is_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the rest of the page stands."""
    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:9/0")

    found = samples(client)

    assert found["administrate_broker_up"] == 0
    assert "administrate_queue_messages" not in found
    assert "administrate_workers" in found


@pytest.mark.usefixtures("scrape")
def test_empty_installation_has_metrics(client: Client) -> None:
    """Nothing synced, nobody seen."""
    found = samples(client)

    assert found["administrate_workers"] == 0
    assert not any(name.startswith(("administrate_sync_seconds", "administrate_last_beat")) for name in found)


@pytest.mark.usefixtures("scrape")
def test_pages_are_measured_by_their_name(client: Client) -> None:
    """Not by their address, of which there are any number; probes are not measured."""
    before = samples(client)
    client.get("/nothing-here/1/")
    client.get("/nothing-here/2/")
    client.get("/accounts/login/")

    after = samples(client)

    def new(labels: str) -> float:
        name = f"administrate_page_seconds_count,{labels}"
        return after[name] - before.get(name, 0)

    assert new("page=(none),status=404") == 2
    assert new("page=account_login,status=200") == 1
    assert not any("page=metrics" in name or "page=healthz" in name for name in after)


@pytest.mark.usefixtures("scrape")
def test_asking_costs_few_queries(client: Client, django_assert_max_num_queries: object) -> None:
    """However many providers and runs there are."""
    assert callable(django_assert_max_num_queries)
    for _number in range(5):
        make_run(provider=make_provider(), outcome=SyncRun.Outcome.SUCCEEDED, finished_at=NOW)

    with django_assert_max_num_queries(5):
        samples(client)

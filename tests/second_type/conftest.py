"""An installation that has Prism alone, and one that has both types."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.apps import AppConfig

from core.secrets import ApiKey
from providers import registry
from providers.models import Provider, SyncRun
from providers.services.connecting import connect_provider
from syncing.engine import run_sync
from tests.factories import NOW, TODAY
from tests.second_type.provider_type import Prism
from tests.second_type.server import TOKEN, Account, serving


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """What Prism's server tells: 50 days of usage."""
    account = Account(first=TODAY - timedelta(days=49), last=TODAY)
    with serving(account) as address:
        monkeypatch.setattr(Prism, "address", address)
        yield account


def install() -> None:
    AppConfig.create("tests.second_type").ready()


@pytest.fixture
def prism_alone(monkeypatch: pytest.MonkeyPatch, account: Account) -> Account:
    """Prism is the only type that is installed."""
    monkeypatch.setattr(registry, "_types", {})
    install()
    return account


@pytest.fixture
def prism_too(monkeypatch: pytest.MonkeyPatch, account: Account) -> Account:
    """Prism is installed beside ElevenLabs."""
    monkeypatch.setattr(registry, "_types", dict(registry._types))
    install()
    return account


def connect(name: str = "Studio") -> tuple[Provider, SyncRun]:
    return connect_provider(type="prism", name=name, region="", api_key=ApiKey(TOKEN), now=NOW)


def sync(run: SyncRun) -> SyncRun:
    done = run_sync(run.pk, clock=lambda: NOW)
    assert done is not None
    return done


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)

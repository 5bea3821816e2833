"""A company that spends, its budget, and receivers of what is told of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from alerts.evaluation.budgets import evaluate_budgets
from alerts.models import Alert, Budget, Threshold
from alerts.rules.world import World
from alerts.services.budgets import Limit, save_budget
from costs.models import DailyUsage
from costs.usage.attribution import attribute
from providers.models import Company, Project, Provider
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)

MONTH = TODAY.replace(day=1)


@dataclass
class Spender:
    """A company with one key, whose workspace was read through today; days settle after a week."""

    company: Company
    provider: Provider
    project: Project

    def spends(self, amount: str, *, day: date = TODAY - timedelta(days=1)) -> None:
        """So much on this day, whatever was there before."""
        DailyUsage.objects.filter(project=self.project, day=day).delete()
        make_usage(project=self.project, day=day, cost=Decimal(amount))
        attribute([self.project.pk])


def make_spender(*, company: Company | None = None, provider: Provider | None = None) -> Spender:
    provider = provider or make_provider(history_from=MONTH)
    company = company or make_company(name="Acme")
    project = make_project(provider=provider)
    make_assignment(project=project, company=company)
    make_read_days(provider=provider, first=MONTH - timedelta(days=31), last=TODAY)
    return Spender(company, provider, project)


def make_budget(
    amount: str = "100", *, percents: Iterable[int] = (50, 80, 100), limits: Iterable[Limit] = (), **fields: Any
) -> Budget:
    """Of a month and in dollars; of ``company=…`` and so on, else of everything."""
    budget = Budget(**{"amount": Decimal(amount), "currency": "usd", "starts_on": MONTH} | fields)
    chosen = [Limit(Threshold.Kind.ACTUAL, Decimal(percent)) for percent in percents] + list(limits)
    save_budget(budget=budget, limits=chosen)
    return budget


def evaluate(*, now: datetime = NOW) -> list[str]:
    """The titles of what there is after an evaluation, oldest first."""
    evaluate_budgets(World(now))
    return [alert.title for alert in Alert.objects.order_by("pk")]


@dataclass
class Request:
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server on loopback that answers as it is told and remembers what it was sent."""

    statuses: list[int] = field(default_factory=list)  # of the next answers; then 204
    headers: dict[str, str] = field(default_factory=dict)
    hangs: threading.Event | None = None  # until it is set
    requests: list[Request] = field(default_factory=list)

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests.append(Request({name.lower(): value for name, value in self.headers.items()}, body))
                if receiver.hangs is not None:
                    receiver.hangs.wait(30)
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.hangs is not None:
            self.hangs.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"

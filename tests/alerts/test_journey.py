"""A budget from its making to what it tells, in the running product: once, whatever is repeated or killed."""

from __future__ import annotations

import email
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from email.policy import default as email_policy
from typing import Any, Self

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from playwright.sync_api import Page, expect
from standardwebhooks.webhooks import Webhook

from elevenlabs_sync.simulator import SIMULATED_API_KEY, SimulatedWorkspace, SimulatorServer
from tests.alerts.worlds import Receiver
from tests.browsing import sign_in
from tests.services.processes import free_port, wait_for
from tests.services.product import EmbeddedProduct
from tests.services.truth import today

pytestmark = pytest.mark.browser

SYNCS = 10


class MailServer:
    """Takes mails on loopback, and may be away."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.port = free_port()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(email.message_from_bytes(envelope.original_content or b"", policy=email_policy))
        return "250 OK"

    def __enter__(self) -> Self:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._controller.stop()


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def webhooks() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def hanging() -> Iterator[Receiver]:
    """One that takes what it is sent and never answers."""
    with Receiver(hangs=threading.Event()) as receiver:
        yield receiver


@pytest.fixture
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer(SimulatedWorkspace(today(), history_days=60)) as server:
        yield server


def manage(product: EmbeddedProduct, *arguments: str, text: str = "") -> str:
    done = product.manage(*arguments, text=text)
    assert done.returncode == 0, done.stderr
    return done.stdout


def of_budgets(receiver: Receiver, secret: str) -> list[dict[str, Any]]:
    """What was posted, as an independent verifier accepts it."""
    bodies = [Webhook(secret).verify(request.body, request.headers) for request in receiver.requests]
    return [body for body in bodies if body["type"].startswith("budget")]


def add_budget_of_everything(page: Page, product: EmbeddedProduct) -> None:
    """Two cents a month, to be told of from 80 % on."""
    page.goto(f"{product.url}/budgets/add/")
    page.get_by_label("For", exact=True).select_option("Everything")
    page.get_by_label("Amount", exact=True).fill("0.02")
    page.get_by_label("Tell when so much is spent").fill("80 %")
    page.get_by_label("Tell when the forecast passes").fill("")
    page.get_by_role("button", name="Add Budget").click()
    expect(page.get_by_role("heading", name="Budgets", level=1)).to_be_visible()


def test_a_budget_tells_once_by_badge_mail_and_webhook(
    embedded: EmbeddedProduct,
    simulator: SimulatorServer,
    mail_server: MailServer,
    webhooks: Receiver,
    hanging: Receiver,
    page: Page,
) -> None:
    """Killed between the alert's commit and its delivery; then come a start, ten more syncs, and a restart.

    All the while another receiver hangs.
    """
    embedded.environment |= {
        "ELEVENLABS_BASE_URL": simulator.base_url,
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_server.port}",
        "ALLOW_PRIVATE_WEBHOOKS": "true",
        "SYNC_BACKFILL_DAYS": "40",
    }
    embedded.start()
    urls = [webhooks.url, hanging.url]
    secret, _other = run(
        embedded, f"User.objects.update(email='dana@example.com'); [call_command('add_webhook', url) for url in {urls}]"
    ).split()
    sign_in(page, embedded)
    add_budget_of_everything(page, embedded)

    with lanes_taken(embedded):
        options = ("--type", "elevenlabs", "--name", "Agency", "--api-key-stdin")
        manage(embedded, "connect_provider", *options, text=SIMULATED_API_KEY)
        wait_for(lambda: waiting_budget_deliveries(embedded) == 3, seconds=90, what="a mail and two webhooks wait")
        wait_until_evaluated(embedded)
        embedded.process.kill()
    assert (webhooks.requests, hanging.requests, mail_server.mails) == ([], [], [])
    embedded.start()
    wait_for(lambda: bool(of_budgets(webhooks, secret)) and bool(mail_server.mails), seconds=60, what="told")
    wait_for(lambda: bool(hanging.requests), seconds=60, what="the one that hangs asked as well")
    run(embedded, f"[call_command('sync_provider', 'Agency') for _ in range({SYNCS})]")
    assert embedded.stop() == 0
    embedded.start()
    wait_until_evaluated(embedded)
    manage(embedded, "send_test_alert")

    assert len(of_budgets(webhooks, secret)) == 1
    assert len([mail for mail in mail_server.mails if mail["subject"].endswith("budget is spent")]) == 1
    page.goto(f"{embedded.url}/alerts/")
    expect(page.get_by_role("link", name="Everything: 80 %")).to_have_count(1)
    ((unread,),) = embedded.query("SELECT count(*) FROM alerts_receipt WHERE read_at IS NULL")
    expect(page.locator(".bell__count")).to_have_text(str(unread))


@contextmanager
def lanes_taken(product: EmbeddedProduct) -> Iterator[None]:
    """As if workers that are gone held what is to be delivered, until their leases have ended."""
    run(
        product,
        "from alerts.models import *; from alerts.models.delivery import MAIL_LANE; from datetime import timedelta; "
        "from django.utils import timezone; hour = timezone.now() + timedelta(hours=1); "
        "names = [MAIL_LANE, *(one.lane for one in Endpoint.objects.all())]; "
        "[Lane.objects.create(name=f'deliver:{name}', claimed_by='gone', claimed_until=hour) for name in names]",
    )
    yield
    run(product, "from alerts.models import Lane; Lane.objects.update(claimed_until=None)")


def waiting_budget_deliveries(product: EmbeddedProduct) -> int:
    ((number,),) = product.query(
        "SELECT count(*) FROM alerts_delivery AS delivery JOIN alerts_alert AS alert ON alert.id = delivery.alert_id "
        "WHERE alert.kind LIKE 'budget%' AND delivery.state = 'waiting'"
    )
    return int(number)


def wait_until_evaluated(product: EmbeddedProduct) -> None:
    """All that was asked for so far."""
    asked = "SELECT count(*) FROM alerts_evaluationrequest"
    wait_for(lambda: product.query(asked) == [(0,)], seconds=60, what="evaluated", every=0.2)


def run(product: EmbeddedProduct, statements: str) -> str:
    """In one process of the product's own, which is cheaper than several commands."""
    lines = "from django.core.management import call_command; from django.contrib.auth.models import User"
    return manage(product, "shell", "--no-imports", "--command", f"{lines}; {statements}")

"""A company that has become "price only": what its viewers were told before tells them no cost either."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Role
from alerts.delivery.attachments import attachments_of
from alerts.delivery.messages import Message
from alerts.models import Alert, Receipt
from providers.models import Company
from tests.alerts.worlds import evaluate, make_budget, make_spender
from tests.api.asking import Api, make_token
from tests.costs.worlds import OCTOBER, close, make_acme
from tests.factories import TODAY, make_alert, make_usage, make_user
from tests.pages import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@pytest.fixture
def told(now: object) -> Alert:
    """With its cost, while the company was shown costs; now it is shown prices alone."""
    acme = make_spender()
    make_budget(company=acme.company)
    acme.spends("83")
    evaluate()
    assert "$83.00" in Alert.objects.get().client_text
    Company.objects.update(markup_percent=Decimal(20))
    return Alert.objects.select_related("company").get()


def test_list_of_a_viewer_tells_no_cost_of_before(client: Client, told: Alert) -> None:
    """That something was told stays, as does its place."""
    viewer = make_user(role=Role.COMPANY_VIEWER, companies=list(Company.objects.all()))
    Receipt.objects.create(alert=told, user=viewer, is_client=True)
    client.force_login(viewer)

    page = text_of(client.get("/alerts/").content)

    assert "An earlier alert" in page
    assert "83" not in page


def test_token_for_the_company_is_told_no_cost_of_before(told: Alert) -> None:
    """Whoever owns it; one for everything still is."""
    narrow, wide = (Api(make_token(company=company)).get("/alerts").json()["data"] for company in (told.company, None))

    assert narrow[0]["text"] == "It told costs, which are not shown any more."
    assert "$83.00" in wide[0]["text"]


def test_mail_that_waited_tells_no_cost_of_before(told: Alert) -> None:
    """A digest is written when it is sent."""
    message = Message(told, is_client=True)

    assert (message.title, "\n".join(message.sentences)) == Alert.WITHHELD


def test_what_was_told_by_percent_stays(now: object) -> None:
    """To viewers who were shown prices alone when it was written."""
    acme = make_spender()
    Company.objects.update(markup_percent=Decimal(20))
    make_budget(company=Company.objects.get())
    acme.spends("83")
    evaluate()

    title, text = Alert.objects.get().words(to_client=True)

    assert title == "80 % of the November 2026 budget is spent"
    assert text.startswith("83.0 % of the budget is spent.")


def test_statement_in_a_mail_that_waited_tells_no_cost(now: object) -> None:
    """Closed with cost and mark-up, and mailed after the company has become "price only"."""
    acme, key = make_acme(markup_percent=Decimal("37.5"), statement_amounts=Company.Amounts.COST)
    make_usage(project=key, day=OCTOBER, cost=Decimal("7.13"))
    close(OCTOBER)
    Company.objects.update(statement_amounts=Company.Amounts.PRICE)
    alert = make_alert(
        kind="statement.closed", company=Company.objects.get(pk=acme.pk), facts={"month": OCTOBER.isoformat()}
    )

    _pdf, (_name, content) = attachments_of(alert, today=TODAY)

    cells = [cell for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in row]
    assert not {"7.13", "37.5"} & set(cells)
    assert any(cell.startswith("9.80") for cell in cells)

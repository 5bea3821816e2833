"""Reports that arrive: statements for who is subscribed to a company, and the week's summary for the team."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core import mail
from pytest_django.fixtures import Settings

from accounts.models import Role
from alerts.delivery.outbox import work_through
from alerts.evaluation.budgets import evaluate_budgets
from alerts.evaluation.watching import evaluate_rules
from alerts.models import Alert, Delivery, RuleSetting, Severity, Subscription
from alerts.rules.world import World
from costs.statements.closing import close_month
from providers.models import Company, Project
from tests.alerts.worlds import make_budget
from tests.costs.worlds import NEXT_YEAR, SEPTEMBER, make_world
from tests.factories import make_usage, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

MONDAY = datetime(2026, 11, 23, 7, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def mail_server(settings: Settings) -> None:
    settings.MAIL_IS_SET_UP = True


@pytest.fixture
def acme() -> Company:
    """It used $100 in September; its client is subscribed, and the agency's Admin is not."""
    acme, _other, key = make_world()
    make_usage(project=key, day=SEPTEMBER, cost=Decimal(100))
    client = make_user(role=Role.COMPANY_VIEWER, email="client@example.com", companies=[acme])
    make_user(role=Role.ADMIN, email="dana@example.com")
    Subscription.objects.create(user=client, company=acme, minimum=Severity.URGENT)
    return acme


def sent(kind: str, *, at: datetime = NEXT_YEAR) -> list[mail.EmailMultiAlternatives]:
    """The mails of this kind, after a look and a turn of the outbox."""
    evaluate_rules(World(at))
    Delivery.objects.exclude(alert__kind=kind).delete()
    work_through("mail", clock=lambda: at)
    return mail.outbox  # type: ignore[return-value]


def test_a_closed_month_brings_each_company_its_statement(acme: Company) -> None:
    """As PDF and CSV, once, to whoever is subscribed, whatever severity they chose."""
    close_month(month=SEPTEMBER, now=NEXT_YEAR)

    for _time in range(2):
        mails = sent("statement.closed")

    assert [(one.to, one.subject) for one in mails] == [(["client@example.com"], "Statement of September 2026")]
    (pdf, _pdf_content, _type), (csv, _csv_content, _csv_type) = mails[0].attachments
    assert (str(pdf)[-4:], str(csv)[-4:]) == (".pdf", ".csv")


def test_a_draft_comes_only_where_somebody_has_asked_for_it(acme: Company) -> None:
    """On the day that was set."""
    october = datetime(2026, 10, 5, 9, tzinfo=UTC)
    none = len(sent("statement.draft", at=october))
    RuleSetting.objects.create(slug="statement.draft", is_on=True, limit=5)

    mails = sent("statement.draft", at=october)

    assert none == 0
    assert [one.subject for one in mails] == ["Draft of the statement of September 2026"]
    assert len(mails[0].attachments) == 2


def test_statement_whose_files_cannot_be_made_keeps_no_other_mail(
    acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again."""

    def breaks(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError

    close_month(month=SEPTEMBER, now=NEXT_YEAR)
    monkeypatch.setattr("alerts.delivery.attachments.client_files", breaks)

    assert sent("statement.closed") == []
    assert Delivery.objects.get().attempts.get().text == "Its files could not be made."


def test_the_week_is_summed_up_for_the_team_on_monday(acme: Company) -> None:
    """With what changed; Company viewers get none."""
    _spend(date(2026, 11, 18), "30")
    _spend(date(2026, 11, 11), "10")

    mails = sent("report.weekly", at=MONDAY)

    assert [(one.to, one.subject) for one in mails] == [(["dana@example.com"], "The week of 16–22 Nov 2026")]
    text = Alert.objects.get(kind="report.weekly").text
    assert "$30.00 was spent, after $10.00 in the week before." in text
    assert "$20.00 more, beside its last four weeks mostly from" in text
    assert "Figures reach" in text or "No day has been read" in text


def test_the_weeks_summary_holds_budgets_and_open_alerts(acme: Company) -> None:
    """The tightest and the latest."""
    _spend(date(2026, 11, 18), "40")
    make_budget("50", company=acme, percents=[80])
    evaluate_budgets(World(MONDAY))

    evaluate_rules(World(MONDAY))

    lines = Alert.objects.get(kind="report.weekly").text.splitlines()
    assert f"Budget of {acme.name}, November 2026: 80.0 % spent (nearly spent)." in lines
    assert f"1 open alert, the latest: {acme.name}: 80 % of the November 2026 budget is spent." in lines


def test_the_week_is_summed_up_once(acme: Company) -> None:
    """However often it is looked at that day."""
    evaluate_rules(World(MONDAY))
    evaluate_rules(World(MONDAY.replace(hour=18)))

    assert Alert.objects.filter(kind="report.weekly").count() == 1


def _spend(day: date, cost: str) -> None:
    make_usage(project=Project.objects.earliest("pk"), day=day, cost=Decimal(cost))

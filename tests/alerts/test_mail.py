"""Alerts by mail: who gets which, when, and what becomes of one that the server does not take."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from pytest_django.fixtures import Settings

from accounts.models import Membership, Role
from alerts.delivery.outbox import MAIL_TRIES, work_through
from alerts.models import Delivery, Preferences, Receipt, Severity, Subscription
from alerts.models.people import next_digest
from alerts.services.raising import News, raise_alert
from costs.models import Letterhead
from providers.models import Company
from tests.factories import NOW, make_company, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@pytest.fixture(autouse=True)
def mail_server(settings: Settings) -> None:
    settings.MAIL_IS_SET_UP = True
    settings.SITE_URL = "https://costs.example.com"


def news(key: str = "one", severity: Severity = Severity.WARNING, **fields: Any) -> News:
    usual: dict[str, Any] = {
        "key": key,
        "kind": "budget.threshold_passed",
        "severity": severity,
        "title": "Acme: 80 %",
        "sentences": ("$83.00 is spent.",),
        "path": "/companies/1/",
    }
    return News(**usual | fields)


def send(*, at: datetime = NOW) -> list[mail.EmailMultiAlternatives]:
    work_through("mail", clock=lambda: at)
    return mail.outbox  # type: ignore[return-value]


def test_a_mail_is_text_and_html_and_leads_to_the_page() -> None:
    """To the address of the account, with a whole address of the page."""
    make_user(role=Role.ADMIN, email="dana@example.com")
    raise_alert(news(), now=NOW)

    [sent] = send()

    assert (sent.to, sent.subject) == (["dana@example.com"], "Acme: 80 %")
    assert "$83.00 is spent." in sent.body
    assert "https://costs.example.com/companies/1/" in sent.body
    assert 'href="https://costs.example.com/companies/1/"' in str(sent.alternatives[0][0])


def test_nobody_is_mailed_twice() -> None:
    """What was sent is not due again."""
    make_user(role=Role.ADMIN, email="dana@example.com")
    raise_alert(news(), now=NOW)
    send()

    assert len(send(at=NOW + timedelta(days=9))) == 1


@pytest.mark.parametrize(("role", "number"), [(Role.ADMIN, 1), (Role.MEMBER, 1), (Role.VIEWER, 0)])
def test_who_chose_nothing_is_mailed_by_role(role: Role, number: int) -> None:
    """Those who can do something about it; Viewers find it in their list."""
    user = make_user(role=role, email="dana@example.com")
    raise_alert(news(), now=NOW)

    assert len(send()) == number
    assert Receipt.objects.filter(user=user).count() == 1


def test_less_severe_than_chosen_is_not_mailed() -> None:
    """It is in the list all the same."""
    user = make_user(role=Role.ADMIN, email="dana@example.com")
    raise_alert(news(severity=Severity.INFO), now=NOW)

    assert send() == []
    assert user.receipts.count() == 1


@pytest.fixture
def acme() -> Company:
    return make_company(name="Acme")


def client_news(company: Company) -> News:
    return news(
        company=company, client_title="80 %", client_sentences=("Yours.",), client_path=f"/companies/{company.pk}/"
    )


def test_a_company_viewer_is_told_nothing_without_a_subscription(acme: Company) -> None:
    """Being able to see the page is not being told."""
    viewer = make_user(role=Role.COMPANY_VIEWER, companies=[acme], email="client@example.com")
    raise_alert(client_news(acme), now=NOW)

    assert send() == []
    assert viewer.receipts.count() == 0


def test_a_subscribed_company_viewer_reads_what_is_theirs_alone(acme: Company) -> None:
    """The text for clients, in the list and in the mail."""
    viewer = make_user(role=Role.COMPANY_VIEWER, companies=[acme], email="client@example.com")
    Subscription.objects.create(user=viewer, company=acme)
    raise_alert(client_news(acme), now=NOW)

    [sent] = send()

    assert sent.subject == "80 %"
    assert "$83.00" not in sent.body
    assert viewer.receipts.get().title == "80 %"


def test_a_client_is_written_to_by_their_agency(acme: Company, settings: Settings) -> None:
    """By the letterhead's name, which colleagues need not be told; answers go to its address."""
    settings.DEFAULT_FROM_EMAIL = "Costs <costs@example.com>"
    Letterhead.objects.create(name="Studio, Nine", email="hello@nine.example", made_at=NOW)
    viewer = make_user(role=Role.COMPANY_VIEWER, companies=[acme], email="client@example.com")
    Subscription.objects.create(user=viewer, company=acme)
    make_user(role=Role.ADMIN, email="dana@example.com")
    raise_alert(client_news(acme), now=NOW)

    by_reader = {sent.to[0]: (sent.from_email, list(sent.reply_to)) for sent in send()}

    assert by_reader == {
        "client@example.com": ('"Studio, Nine" <costs@example.com>', ["hello@nine.example"]),
        "dana@example.com": ("Costs <costs@example.com>", []),
    }


def test_a_company_viewer_is_not_told_of_what_is_not_meant_for_clients(acme: Company) -> None:
    """An alert about their company without such a text."""
    viewer = make_user(role=Role.COMPANY_VIEWER, companies=[acme], email="client@example.com")
    Subscription.objects.create(user=viewer, company=acme)
    raise_alert(news(company=acme), now=NOW)

    assert viewer.receipts.count() == 0


def test_a_subscription_to_nothing_silences_one_company(acme: Company) -> None:
    """For one person, who is told of all others."""
    dana = make_user(role=Role.ADMIN, email="dana@example.com")
    Subscription.objects.create(user=dana, company=acme, minimum=Subscription.NEVER)
    raise_alert(news("acme", company=acme, severity=Severity.URGENT), now=NOW)
    raise_alert(news("globex", company=make_company(name="Globex")), now=NOW)

    assert len(send()) == 1


def prefer(**chosen: Any) -> None:
    Preferences.objects.create(user=make_user(role=Role.ADMIN, email="dana@example.com"), **chosen)


@pytest.mark.parametrize(
    ("begins", "ends", "at"),
    [
        (time(12), time(14), datetime(2026, 11, 22, 14, tzinfo=UTC)),
        (time(22), time(13), datetime(2026, 11, 22, 13, tzinfo=UTC)),
        (time(12), time(3), datetime(2026, 11, 23, 3, tzinfo=UTC)),
        (time(22), time(7), NOW),
    ],
)
def test_quiet_hours_put_mails_off(begins: time, ends: time, at: datetime) -> None:
    """Until they end, also over midnight; it is half past twelve."""
    prefer(quiet_from=begins, quiet_until=ends)
    raise_alert(news(), now=NOW)

    assert Delivery.objects.get().not_before == at


def test_what_is_urgent_waits_for_nothing() -> None:
    """Neither for the end of quiet hours nor for a digest."""
    prefer(quiet_from=time(0), quiet_until=time(23, 59), mail=Preferences.Mail.WEEKLY)
    raise_alert(news(severity=Severity.URGENT), now=NOW)

    assert len(send()) == 1


def test_a_digest_is_one_mail() -> None:
    """Of everything until the morning."""
    prefer(mail=Preferences.Mail.DAILY)
    for key in ("one", "two", "three"):
        raise_alert(news(key), now=NOW)

    assert send() == []
    [digest] = send(at=next_digest(NOW, weekly=False))
    assert digest.subject == "3 alerts: Acme: 80 % and others"
    assert not Delivery.objects.filter(state=Delivery.State.WAITING).exists()


def test_a_weekly_digest_comes_on_monday() -> None:
    """NOW is a Sunday."""
    assert next_digest(NOW, weekly=True) == datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert next_digest(NOW + timedelta(days=1), weekly=True) == datetime(2026, 11, 30, 7, tzinfo=UTC)


def test_a_mail_server_that_is_away_loses_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long: it is asked again every hour."""
    make_user(role=Role.ADMIN, email="dana@example.com")
    raise_alert(news(), now=NOW)

    def refuse(*_arguments: object) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as away:
        away.setattr(EmailBackend, "send_messages", refuse)
        for hours in range(40):
            send(at=NOW + timedelta(hours=2 * hours))

    assert len(send(at=NOW + timedelta(days=20))) == 1


def test_a_refused_address_is_given_up_and_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others get theirs in the same turn."""
    for name in ("bad", "good"):
        make_user(role=Role.ADMIN, email=f"{name}@example.com")
    raise_alert(news(), now=NOW)
    real = EmailBackend.send_messages

    def refuse(backend: EmailBackend, messages: Any) -> int:
        if messages[0].to == ["bad@example.com"]:
            raise SMTPRecipientsRefused({})
        return real(backend, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    for hours in range(MAIL_TRIES):
        send(at=NOW + timedelta(hours=2 * hours))

    assert [sent.to for sent in mail.outbox] == [["good@example.com"]]
    assert sorted(delivery.state for delivery in Delivery.objects.all()) == ["failed", "sent"]


def test_without_a_mail_server_nothing_is_written_down_to_be_mailed(settings: Settings) -> None:
    """One that is set up years later sends nothing old."""
    settings.MAIL_IS_SET_UP = False
    make_user(role=Role.ADMIN, email="dana@example.com")
    raise_alert(news(), now=NOW)

    assert not Delivery.objects.exists()


def test_who_may_not_see_it_any_more_is_not_mailed(acme: Company) -> None:
    """A mail that waited, of somebody who became a Company viewer meanwhile, or left."""
    users = [make_user(role=Role.ADMIN, email=f"{name}@example.com") for name in ("changed", "left", "stays")]
    raise_alert(news(), now=NOW)
    User.objects.update(is_superuser=False)
    Membership.objects.filter(user=users[0]).update(role=Role.COMPANY_VIEWER)
    User.objects.filter(pk=users[1].pk).update(is_active=False)

    assert [sent.to for sent in send()] == [["stays@example.com"]]

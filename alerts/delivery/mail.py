"""Alerts as mails, over the operator's own server (EMAIL_URL); text and HTML, a digest as one mail."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from email.utils import formataddr, parseaddr
from smtplib import SMTPException, SMTPServerDisconnected

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.access import sees_company
from alerts.delivery.attachments import attachments_of
from alerts.delivery.messages import Message, absolute
from alerts.delivery.posting import Outcome
from alerts.models import Delivery, Preferences
from costs.models import Letterhead
from providers.permissions import SEE_PROVIDERS

logger = logging.getLogger(__name__)

SETTINGS_PATH = "/settings/notifications/"


def send_mails(deliveries: Sequence[Delivery]) -> Iterator[tuple[Delivery, Outcome, int]]:
    """Send over one connection; what came of each, and the milliseconds that it took.

    Where the server is away the rest is not tried, and not told of.
    """
    connection = get_connection(fail_silently=False)
    try:
        for mail in _mails(deliveries):
            begun = time.monotonic()
            outcome = _send(mail, connection)
            took = int((time.monotonic() - begun) * 1000)
            for delivery in mail:
                yield delivery, outcome, took
            if outcome.is_away:
                return
    finally:
        try:
            connection.close()
        except (OSError, SMTPException):
            logger.info("The mail server had closed the connection")


def _mails(deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    """Each by itself; what belongs into a person's digest together."""
    digests: dict[int | None, list[Delivery]] = {}
    mails: list[list[Delivery]] = []
    for delivery in deliveries:
        if not delivery.is_digest:
            mails.append([delivery])
        elif delivery.user_id in digests:
            digests[delivery.user_id].append(delivery)
        else:
            mails.append(digests.setdefault(delivery.user_id, [delivery]))
    return mails


def _send(deliveries: Sequence[Delivery], connection: object) -> Outcome:
    user = deliveries[0].user
    assert user is not None  # noqa: S101 - a constraint; for the type checker
    preferences = getattr(user, "alert_preferences", None) or Preferences(user=user)
    if not preferences.address:
        return Outcome(succeeded=False, text="The person has no e-mail address.")
    if not all(_may_still_read(user, delivery) for delivery in deliveries):
        return Outcome(succeeded=False, text="The person may not see this any more.")
    mail = compose([Message(one.alert, is_client=one.is_client) for one in deliveries], to=preferences.address)
    if deliveries[0].is_client:
        _sign_as_agency(mail)
    try:
        for one in deliveries:
            for name, content in attachments_of(one.alert, today=timezone.now().date()):
                mail.attach(name, content, "application/pdf" if name.endswith(".pdf") else "text/csv")
    except Exception:  # whatever is wrong with one statement keeps no other mail
        logger.exception("The files of a mail could not be made")
        return Outcome(succeeded=False, text="Its files could not be made.")
    mail.extra_headers["Message-ID"] = f"<{deliveries[0].message_id}@{_domain()}>"
    mail.connection = connection  # type: ignore[assignment]  # the stubs know only the SMTP one
    try:
        mail.send()
    except (SMTPServerDisconnected, OSError) as error:
        # SMTPException is an OSError, too: of those only a lost connection says that the server is away.
        if isinstance(error, SMTPException) and not isinstance(error, SMTPServerDisconnected):
            return Outcome(succeeded=False, text=f"The mail server refused it ({type(error).__name__}).")
        return Outcome(
            succeeded=False, text=f"The mail server can't be reached ({type(error).__name__}).", is_away=True
        )
    except ValueError:
        return Outcome(succeeded=False, text="The address can't be written to.")
    return Outcome(succeeded=True, text="Handed to the mail server.")


def _sign_as_agency(mail: EmailMultiAlternatives) -> None:
    """To a client the mail is their agency's, which answers are for: by the letterhead, where that says so."""
    letterhead = Letterhead.objects.present()
    if name := " ".join(letterhead.name.split()):
        mail.from_email = formataddr((name, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))
    if letterhead.email:
        mail.reply_to = [letterhead.email]


def _may_still_read(user: User, delivery: Delivery) -> bool:
    """A mail may wait for days, and roles change."""
    if not user.is_active:
        return False
    company_id = delivery.alert.company_id
    return user.has_perm(SEE_PROVIDERS) or (
        delivery.is_client and company_id is not None and sees_company(user, company_id)
    )


def compose(messages: Sequence[Message], *, to: str) -> EmailMultiAlternatives:
    """One alert, or several as a digest."""
    subject = messages[0].title if len(messages) == 1 else f"{len(messages)} alerts: {messages[0].title} and others"
    context = {"messages": messages, "settings_url": absolute(SETTINGS_PATH)}
    mail = EmailMultiAlternatives(
        subject=" ".join(subject.split()), body=render_to_string("alerts/mail.txt", context), to=[to]
    )
    mail.attach_alternative(render_to_string("alerts/mail.html", context), "text/html")
    return mail


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"

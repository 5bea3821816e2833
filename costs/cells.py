"""Figures as the pages show them: safe HTML strings made once in Python, because tables hold thousands of them.

An unknown figure is "—" with its reason, a sum that is not the whole carries a mark with the reason; reasons show on
hover and on focus and are always there for screen readers. Zero is written only where zero is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Self
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from costs.amounts import DEFAULT_CURRENCY as DEFAULT_CURRENCY
from costs.comparison import Change, Comparison
from costs.coverage import Reading
from costs.forecast import Forecast
from costs.money import UNKNOWN, Money, format_number, signed, to_cents, to_tenth
from costs.totals import Totals
from providers.models import Company, Project, Provider

UNPRICED = "ElevenLabs has not priced this yet; it can take 24 hours"
PARTLY_UNPRICED = "Includes usage that ElevenLabs has not priced yet"
UNREAD = "These days have not been read yet"
PARTLY_UNREAD = "Some of this has not been read yet"
ESTIMATED = "Holds amounts that come from credits at a rate that was set here; ElevenLabs reports no cost for them"
NOT_COMPARABLE = "There are no complete days to compare yet: days that are over, read and priced"
NO_FORECAST = "Forecast appears after 7 full days of data"
PROVISIONAL = "ElevenLabs may still restate this day"
NOT_REPORTED = "ElevenLabs does not report this for this usage"

SIMULATED_REGION = "simulated"
DISABLED_REASONS = {
    "trial_ended": "The workspace's trial ended",
    "subscription_downgrade": "The workspace's plan was lowered",
    "exposed_publicly": "The key was found in public",
    "self_disabled": "Somebody of the workspace disabled it",
}


class Cell(SafeString):
    """A cell's HTML with what it says exactly, for the table's CSV.

    ``value`` is a text, a number, money per currency, or None where it is unknown; ``note`` is the reason for that or
    for a mark.
    """

    value: str | Decimal | int | tuple[Money, ...] | None
    note: str

    def __new__(cls, html: str, value: str | Decimal | int | tuple[Money, ...] | None, note: str = "") -> Self:
        cell = super().__new__(cls, html)
        cell.value = value
        cell.note = note
        return cell


def explained(text: str, reason: str, *, mark: str = "", label: str = "") -> SafeString:
    """``text`` with the reason why it is unknown, not the whole, or – then with a label before it – no plain fact."""
    return format_html(
        '<span class="hint" tabindex="0">{}{}{}<span class="hint__text"> {}</span></span>',
        format_html('<span class="hint__label">{}</span> ', label) if label else "",
        text,
        format_html('<span class="hint__mark" aria-hidden="true">{}</span>', mark) if mark else "",
        reason,
    )


def lines(amounts: Iterable[Money]) -> SafeString:
    """An amount per line."""
    return format_html_join(mark_safe("<br>"), "{}", ((str(amount),) for amount in amounts))


def money(totals: Totals, currency: str, *, reading: Reading = Reading.WHOLE) -> Cell:
    """What ``totals`` cost: a line per currency; ``currency`` names a zero. A zero of unread days is unknown."""
    if totals.is_unpriced:
        return Cell(explained(UNKNOWN, UNPRICED), None, UNPRICED)
    if not totals.costs and reading is Reading.NONE:
        return Cell(explained(UNKNOWN, UNREAD), None, UNREAD)
    amounts = totals.costs or (Money(currency or DEFAULT_CURRENCY, Decimal(0)),)
    text = lines(amounts)
    lacks = PARTLY_UNPRICED if totals.unpriced_rows else PARTLY_UNREAD if reading is not Reading.WHOLE else ""
    if totals.estimated:
        reason = f"{ESTIMATED}. {lacks}" if lacks else ESTIMATED
        return Cell(explained(text, reason, mark="*" if lacks else "", label="Estimated"), amounts, reason)
    return Cell(explained(text, lacks, mark="*") if lacks else text, amounts, lacks)


def amount(totals: Totals, value: Decimal | int | None, *, digits: int = 0, reading: Reading = Reading.WHOLE) -> Cell:
    """A figure of ``totals`` other than money: unknown where there is usage that does not report it."""
    if value is None and reading is Reading.NONE:
        return Cell(explained(UNKNOWN, UNREAD), None, UNREAD)
    if value is None and not totals.is_idle:
        return Cell(explained(UNKNOWN, NOT_REPORTED), None, NOT_REPORTED)
    text = format_html("{}", format_number(value or 0, digits))
    if reading is Reading.WHOLE:
        return Cell(text, value or 0)
    return Cell(explained(text, PARTLY_UNREAD, mark="*"), value or 0, PARTLY_UNREAD)


def number(value: int) -> Cell:
    """A count of something other than usage."""
    return Cell(f"{value:,}", value)


def share(totals: Totals, whole: Totals, currency: str) -> Cell:
    """The part of the whole in ``currency`` as a percentage; empty where there is nothing to divide.

    Of what was paid in other currencies alone it would be 0 %, which is no answer.
    """
    part, all_of_it = totals.cost_in(currency), whole.cost_in(currency)
    if not all_of_it or totals.is_unpriced or (totals.sort_amount and not part):
        return Cell("", "")
    percent = 100 * part / all_of_it
    return Cell(f"{format_number(percent, 1)} %", to_tenth(percent))


def change(compared: Change | None, currency: str, comparison: Comparison) -> Cell:
    """How the spend of the compared days has changed: an arrow, a sign and a percentage, or "New".

    A line for each currency that it was paid in, ``currency`` first.
    """
    if not comparison.is_possible:
        return Cell(explained(UNKNOWN, NOT_COMPARABLE), None, NOT_COMPARABLE)
    compared = compared or Change()
    each = {one: _change_in(compared, one, comparison) for one in compared.currencies(currency)}
    if len(each) == 1:
        return each.popitem()[1]
    html = format_html_join(mark_safe("<br>"), "{} {}", ((one.upper(), cell) for one, cell in each.items()))
    texts = (f"{one.upper()} {plain_change(cell)}" for one, cell in each.items())
    return Cell(html, "; ".join(texts))


def plain_change(cell: Cell) -> str:
    """ "5.3 %" or "New"."""
    return f"{cell.value} %" if isinstance(cell.value, Decimal) else str(cell.value)


def _change_in(compared: Change, currency: str, comparison: Comparison) -> Cell:
    ratio = compared.ratio(currency)
    if ratio is None:
        if not compared.now.cost_in(currency):
            return Cell("", "")
        return Cell(explained("New", f"Nothing was spent on {comparison.days}"), "New")
    percent = to_tenth(100 * ratio)
    before = Money(currency, compared.before.cost_in(currency))
    text = "No change" if not percent else f"{'▲' if percent > 0 else '▼'} {signed(percent)} %"
    return Cell(explained(text, f"{before} on {comparison.days}"), percent)


def forecast(expected: Mapping[str, Forecast]) -> Cell:
    """What the month will have cost in each currency, with its range; unknown where that is none."""
    if not expected:
        return Cell(explained(UNKNOWN, NO_FORECAST), None, NO_FORECAST)
    amounts = tuple(Money(currency, to_cents(one.amount)) for currency, one in expected.items())
    text = lines(amounts)
    between = f"Likely {forecast_range(expected)}"
    return Cell(explained(text, between), amounts, between)


def forecast_range(expected: Mapping[str, Forecast]) -> str:
    """ "$90.00 to $110.00"."""
    return "; ".join(f"{Money(currency, one.low)} to {Money(currency, one.high)}" for currency, one in expected.items())


def day(value: date | None) -> Cell:
    return Cell(f"{value.day} {value:%b %Y}", value.isoformat()) if value else Cell("Not yet", "")


def marked_day(value: date, *, is_provisional: bool) -> Cell:
    """A day as the head of a row."""
    if not is_provisional:
        return Cell(format_html('<span class="day">{}</span>', day(value)), value.isoformat())
    badge = explained("provisional", PROVISIONAL)
    html = format_html('<span class="day">{} <span class="badge">{}</span></span>', day(value), badge)
    return Cell(html, value.isoformat(), PROVISIONAL)


def company(subject: Company | None, label: str, query: str = "") -> Cell:
    """A company's name as a link that keeps the range; what is unassigned is no link."""
    if subject is None:
        return Cell(format_html("{}", label), label)
    archived = mark_safe(' <span class="badge">Archived</span>') if subject.archived_at else ""
    html = format_html('<a class="row-link" href="{}{}">{}</a>{}', subject.get_absolute_url(), query, label, archived)
    return Cell(html, label)


def model(model_id: str, label: str, query: str = "") -> Cell:
    """A model's name as a link to its page that keeps the range."""
    url = f"{reverse('models:detail')}{query or '?'}{'&' if query else ''}{urlencode({'model': model_id})}"
    return Cell(format_html('<a class="row-link" href="{}">{}</a>', url, label), label)


def provider(subject: Provider, query: str = "") -> Cell:
    """A provider's name as a link, with the badge of simulated data."""
    html = format_html(
        '<a class="row-link" href="{}{}">{}</a>{}',
        subject.get_absolute_url(),
        query,
        subject.name,
        mark_safe(' <span class="badge badge--simulated">Simulated data</span>')
        if subject.region == SIMULATED_REGION
        else "",
    )
    return Cell(html, subject.name)


def project(subject: Project, *, now: datetime | None = None) -> Cell:
    """An API key's name, its last characters and what has become of it; with ``now`` also what it may still do."""
    facts = _facts(subject, now) if now else []
    html = format_html(
        "{}{}{}{}",
        subject.display_name,
        format_html(' <span class="muted small nowrap">··{}</span>', subject.hint)
        if subject.hint and (subject.label or subject.name)
        else "",
        _state(subject, now),
        format_html('<span class="sub">{}</span>', " · ".join(facts)) if facts else "",
    )
    return Cell(html, subject.display_name)


def project_of_provider(subject: Project, query: str = "") -> Cell:
    """An API key with its provider below it, for tables that hold keys of several."""
    html = format_html('{}<span class="sub">{}</span>', project(subject), provider(subject.provider, query))
    return Cell(html, f"{subject.display_name} ({subject.provider.name})")


def _state(subject: Project, now: datetime | None) -> SafeString:
    if subject.deleted_at:
        return mark_safe(' <span class="badge">Deleted</span>')
    if subject.disabled_at:
        reason = "" if now else _disabled_reason(subject)  # with now it stands among the facts
        return format_html(' <span class="badge">{}</span>', explained("Disabled", reason) if reason else "Disabled")
    if now and subject.expires_at and subject.expires_at <= now:
        return mark_safe(' <span class="badge">Expired</span>')
    return SafeString("")


def _facts(subject: Project, now: datetime) -> list[str]:
    """Why a key is disabled, until when it works, and how much of its own limit is used."""
    if subject.deleted_at:
        return []
    facts = [_disabled_reason(subject)] if subject.disabled_at else []
    if subject.expires_at:
        facts.append(f"{'Expired' if subject.expires_at <= now else 'Expires'} {day(subject.expires_at.date())}")
    if subject.credit_limit is not None:
        used = "an unknown number" if subject.credits_used is None else format_number(subject.credits_used)
        facts.append(f"{used} of {format_number(subject.credit_limit)} credits this period")
    return [fact for fact in facts if fact]


def _disabled_reason(subject: Project) -> str:
    """In words; one that is not known here is shown as reported."""
    return DISABLED_REASONS.get(subject.disabled_reason, subject.disabled_reason.replace("_", " ").capitalize())

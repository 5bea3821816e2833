"""Figures as the pages show them: safe HTML strings made once in Python, because tables hold thousands of them.

An unknown figure is "—" with its reason, a sum that is not the whole carries a mark with the reason; reasons show on
hover and on focus and are always there for screen readers. Zero is written only where zero is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from core.amounts import DEFAULT_CURRENCY
from core.cells import Cell, lines, with_hint
from core.days import DateRange
from core.money import UNKNOWN, Money, format_number, signed, to_cents, to_significant, to_tenth
from core.names import isolated
from costs.pages.words import PageWords, words_for
from costs.reports.comparison import Change, Comparison
from costs.reports.forecast import Expected
from costs.reports.metrics import Metric
from costs.reports.totals import Totals
from costs.usage.coverage import Reading
from providers.models import Company, Project, Provider

UNPRICED_ON_COMPARED_DAYS = "Some usage of the compared days has no price"
UNPRICED_IN_FORECAST = "Leaves out usage that has no price"
SHARE_OF_PRICED = "Part of the spend that is known; some usage has no price yet"
UNREAD = "These days have not been read yet"
PARTLY_UNREAD = "Some of this has not been read yet"
NOT_COMPARABLE = "There are no complete days to compare yet: days that are over, read and priced"
NO_FORECAST = "Forecast appears after 7 full days of data"
WAITS_FOR_PRICES = "a day with usage that has no price is waited for for 7 days"

SIMULATED_REGION = "simulated"


def unknown(reason: str) -> Cell:
    return Cell(with_hint(UNKNOWN, reason), None, reason)


def qualified(
    text: str,
    value: str | Decimal | int | tuple[Money, ...],
    *,
    estimated: bool = False,
    lacks: str = "",
    says: str = "",
    digits: int | None = None,
    words: PageWords | None = None,
) -> Cell:
    """A known figure with what must be known of it: that it holds estimates, what it leaves out.

    ``says`` explains it on the page and is no note of the file.
    """
    if not (estimated or lacks or says):
        return Cell(text, value, digits=digits)
    words = words or words_for()
    note = ". ".join(filter(None, (words.estimated if estimated else "", lacks)))
    html = with_hint(
        text,
        words.estimated if estimated else "",
        label="Estimated" if estimated else "",
        lacks=lacks,
        says=says,
    )
    return Cell(html, value, note, digits=digits)


def money(
    totals: Totals,
    currency: str,
    *,
    reading: Reading = Reading.WHOLE,
    in_cents: bool = False,
    words: PageWords | None = None,
) -> Cell:
    """What ``totals`` cost: a line per currency; ``currency`` names a zero. A zero of unread days is unknown.

    ``in_cents`` where the amounts shown have to add up: there "<$0.01" would say too little.
    """
    words = words or words_for()
    if totals.is_unpriced:
        return unknown(words.unpriced)
    if not totals.costs and reading is Reading.NONE:
        return unknown(UNREAD)
    amounts = totals.costs or (Money(currency or DEFAULT_CURRENCY, Decimal(0)),)
    lacks = words.partly_unpriced if totals.unpriced_rows else PARTLY_UNREAD if reading is not Reading.WHOLE else ""
    text = lines(Money(each.currency, to_cents(each.amount)) if in_cents else each for each in amounts)
    return qualified(text, amounts, estimated=totals.estimated, lacks=lacks, digits=2, words=words)


def amount(
    totals: Totals,
    figure: str,
    *,
    digits: int = 0,
    reading: Reading = Reading.WHOLE,
    words: PageWords | None = None,
) -> Cell:
    """Credits, minutes or requests: unknown where there is usage that does not report it."""
    words = words or words_for()
    value = totals.told(figure)
    if value is None and reading is Reading.NONE:
        return unknown(UNREAD)
    if value is None and not totals.is_idle:
        return unknown(words.not_reported)
    partly_unread = PARTLY_UNREAD if reading is not Reading.WHOLE else ""
    lacks = words.partly_not_reported if figure in totals.untold else partly_unread
    return qualified(escape(format_number(value or 0, digits)), value or 0, lacks=lacks, digits=digits)


def figure(
    metric: Metric,
    totals: Totals,
    currency: str,
    *,
    reading: Reading = Reading.WHOLE,
    words: PageWords | None = None,
) -> Cell:
    """The figure of a metric, as money() or amount() writes it."""
    if metric.slug == "cost":
        return money(totals, currency, reading=reading, words=words)
    return amount(totals, metric.slug, digits=metric.digits, reading=reading, words=words)


def share(totals: Totals, whole: Totals, currency: str, *, words: PageWords | None = None) -> Cell:
    """The part of the whole in ``currency`` as a percentage; empty where there is nothing to divide.

    Of what was paid in other currencies alone it would be 0 %, which is no answer.
    """
    words = words or words_for()
    if totals.is_unpriced:
        return unknown(words.unpriced)
    part, all_of_it = totals.cost_in(currency), whole.cost_in(currency)
    if not all_of_it or (totals.sort_amount and not part):
        return Cell("", "")
    percent = 100 * part / all_of_it
    return qualified(
        f"{format_number(percent, 1)} %",
        to_significant(percent),
        estimated=whole.estimated and bool(part),  # nothing is no part of anything, whatever that comes to
        lacks=SHARE_OF_PRICED if whole.unpriced_rows and part else "",
        words=words,
    )


def change(compared: Change | None, currency: str, comparison: Comparison, *, words: PageWords | None = None) -> Cell:
    """How the spend of the compared days has changed: an arrow, a sign and a percentage, or "New".

    A line for each currency that it was paid in, ``currency`` first.
    """
    if not comparison.is_possible:
        return unknown(NOT_COMPARABLE)
    compared = compared or Change()
    words = words or words_for()
    if compared.is_unpriced:
        return unknown(words.unpriced)
    each = {one: _change_in(compared, one, comparison, words) for one in compared.currencies(currency)}
    if len(each) == 1:
        return each.popitem()[1]
    html = format_html_join(mark_safe("<br>"), "{} {}", ((one.upper(), cell) for one, cell in each.items()))
    texts = (f"{one.upper()} {plain_change(cell)}" for one, cell in each.items())
    return Cell(html, "; ".join(texts), next(iter(each.values())).note)


def plain_change(cell: Cell) -> str:
    """ "5.3 %" or "New"."""
    return f"{cell.value:f} %" if isinstance(cell.value, Decimal) else str(cell.value)


def _change_in(compared: Change, currency: str, comparison: Comparison, words: PageWords) -> Cell:
    ratio = compared.ratio(currency)
    both = compared.now + compared.before
    lacks = UNPRICED_ON_COMPARED_DAYS if both.unpriced_rows else ""
    if ratio is None:
        if not compared.now.cost_in(currency):
            return Cell("", "")
        nothing = f"Nothing was spent on {comparison.days}"
        return qualified("New", "New", estimated=both.estimated, lacks=lacks, says=nothing, words=words)
    percent = to_tenth(100 * ratio)
    before = Money(currency, compared.before.cost_in(currency))
    text = "No change" if not percent else f"{'▲' if percent > 0 else '▼'} {signed(percent)} %"
    says = f"{before} on {comparison.days}"
    return qualified(text, to_significant(100 * ratio), estimated=both.estimated, lacks=lacks, says=says, words=words)


def forecast(
    expected: Expected,
    *,
    waits_for_prices: bool = False,
    with_range: bool = True,
    words: PageWords | None = None,
) -> Cell:
    """What the month will have cost in each currency, with its range; unknown where that is none.

    ``waits_for_prices``: whether days would be complete if their usage were priced. ``with_range``: the cell says it.
    """
    words = words or words_for()
    if expected.is_unpriced:
        return unknown(words.unpriced)
    if not expected.by_currency:
        return unknown(f"{NO_FORECAST}; {WAITS_FOR_PRICES}" if waits_for_prices else NO_FORECAST)
    amounts = [Money(currency, one.amount) for currency, one in expected.by_currency.items()]
    between = forecast_range(expected)
    likely = f"Likely {between}" if between and with_range else ""
    cell = qualified(
        lines(amounts),
        tuple(Money(money.currency, to_significant(money.amount)) for money in amounts),
        estimated=expected.estimated,
        lacks=UNPRICED_IN_FORECAST if expected.is_partly_unpriced else "",
        says=likely,
        words=words,
    )
    return Cell(cell, cell.value, ". ".join(filter(None, (likely, cell.note))))


def forecast_range(expected: Expected) -> str:
    """ "$90.00 to $110.00"; empty where the ends don't differ as they are shown: that is no range."""
    ends = ((Money(currency, one.low), Money(currency, one.high)) for currency, one in expected.by_currency.items())
    return "; ".join(f"{low} to {high}" for low, high in ends if str(low) != str(high))


def day(value: date | None) -> Cell:
    return Cell(f"{value.day} {value:%b %Y}", value.isoformat()) if value else Cell("Not yet", "")


def marked_days(value: DateRange, *, is_provisional: bool, words: PageWords | None = None, url: str = "") -> Cell:
    """A day, or the days of a week or a month, as a row's head; in a file by the first. ``url`` shows them alone."""
    words = words or words_for()
    first = value.first.isoformat()
    shown = format_html('<a class="row-link" href="{}">{}</a>', url, value.days) if url else value.days
    if not is_provisional:
        return Cell(format_html('<span class="day">{}</span>', shown), first)
    reason = words.provisional if len(value) == 1 else f"{words.start} may still restate some of these days"
    badge = with_hint("provisional", reason)
    html = format_html('<span class="day">{} <span class="badge">{}</span></span>', shown, badge)
    return Cell(html, first, reason)


def named(name: str) -> Cell:
    """A name from outside that is no link."""
    return Cell(isolated(name), name)


def company(subject: Company | None, label: str, query: str = "") -> Cell:
    """A company's name as a link that keeps the range; what is unassigned is no link."""
    if subject is None:
        return Cell(format_html("{}", label), label)
    archived = mark_safe(' <span class="badge">Archived</span>') if subject.archived_at else ""
    url = f"{subject.get_absolute_url()}{query}"
    html = format_html('<a class="row-link" href="{}">{}</a>{}', url, isolated(label), archived)
    return Cell(html, label)


def model(model_id: str, label: str, query: str = "") -> Cell:
    """A model's name as a link to its page that keeps the range."""
    url = f"{reverse('models:detail')}{query or '?'}{'&' if query else ''}{urlencode({'model': model_id})}"
    return Cell(format_html('<a class="row-link" href="{}">{}</a>', url, isolated(label)), label)


def provider(subject: Provider, query: str = "") -> Cell:
    """A provider's name as a link, with the badge of simulated data."""
    html = format_html(
        '<a class="row-link" href="{}{}">{}</a>{}',
        subject.get_absolute_url(),
        query,
        isolated(subject.name),
        mark_safe(' <span class="badge badge--simulated">Simulated data</span>')
        if subject.region == SIMULATED_REGION
        else "",
    )
    return Cell(html, subject.name)


def project(subject: Project, *, now: datetime | None = None, words: PageWords | None = None, url: str = "") -> Cell:
    """An API key's name – with ``url`` a link –, its last characters and what has become of it.

    With ``now`` also what it may still do.
    """
    words = words or words_for()
    facts = _facts(subject, now, words) if now else []
    name = isolated(subject.display_name)
    html = format_html(
        "{}{}{}{}",
        format_html('<a class="row-link" href="{}">{}</a>', url, name) if url else name,
        format_html(' <span class="muted small nowrap">··{}</span>', subject.hint)
        if subject.hint and (subject.label or subject.name)
        else "",
        _state(subject, now, words),
        format_html('<span class="sub">{}</span>', " · ".join(facts)) if facts else "",
    )
    return Cell(html, subject.full_name)


def project_of_provider(subject: Project, query: str = "") -> Cell:
    """An API key with its provider below it, for tables that hold keys of several."""
    own = words_for([subject.provider])
    name = project(subject, words=own, url=f"{subject.get_absolute_url()}{query}")
    html = format_html('{}<span class="sub">{}</span>', name, provider(subject.provider, query))
    return Cell(html, f"{subject.full_name} ({subject.provider.name})")


def key_and_model(subject: Project, model: Cell, query: str = "") -> Cell:
    """An API key with what it used below it."""
    name = project(subject, words=words_for([subject.provider]), url=f"{subject.get_absolute_url()}{query}")
    html = format_html('{}<span class="sub">{}</span>', name, model)
    return Cell(html, f"{subject.full_name} with {model.value}")


_KIND_BADGES: Mapping[str, SafeString] = {
    Project.Kind.AGENT: mark_safe(' <span class="badge">Agent</span>'),
    Project.Kind.PERSON: mark_safe(' <span class="badge">Person</span>'),
}


def _state(subject: Project, now: datetime | None, words: PageWords) -> SafeString:
    kind = _KIND_BADGES.get(subject.kind, SafeString(""))
    if subject.is_allocated:
        kind += mark_safe(' <span class="badge">Allocated by conversations</span>')
    if subject.deleted_at:
        return kind + mark_safe(' <span class="badge">Deleted</span>')
    if subject.archived_at:
        return kind + mark_safe(' <span class="badge">Archived</span>')
    if subject.kind == Project.Kind.AGENT:
        return kind
    if subject.disabled_at:
        reason = "" if now else words.disabled_reason(subject.disabled_reason)  # with now it stands among the facts
        return format_html(
            ' <span class="badge">{}</span>', with_hint("Disabled", says=reason) if reason else "Disabled"
        )
    if now and subject.expires_at and subject.expires_at <= now:
        return mark_safe(' <span class="badge">Expired</span>')
    return SafeString("")


def _facts(subject: Project, now: datetime, words: PageWords) -> list[str]:
    """Why a key is disabled, until when it works, and how much of its own limit is used."""
    if subject.deleted_at:
        return []
    facts = [words.disabled_reason(subject.disabled_reason)] if subject.disabled_at else []
    facts += [f"Tags: {', '.join(subject.tags)}"] if subject.tags else []
    if subject.expires_at:
        facts.append(f"{'Expired' if subject.expires_at <= now else 'Expires'} {day(subject.expires_at.date())}")
    if subject.credit_limit is not None:
        used = "an unknown number" if subject.credits_used is None else format_number(subject.credits_used)
        facts.append(f"{used} of {format_number(subject.credit_limit)} credits this period")
    return [fact for fact in facts if fact]

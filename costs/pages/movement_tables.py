"""The table of what changed, and each movement's cause in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.cells import Cell, text_of
from core.money import Money, format_number, signed, to_tenth
from core.names import isolated
from core.tables import Column, Row, Table
from core.wording import joined
from costs.pages.figures import Figures
from costs.reports.breakdowns import NO_MODEL, UNASSIGNED, told_apart
from costs.reports.movements import Cause, Moved, Movement

# Prices of credits and requests are too small to be read one by one.
_UNITS: Final = {"credits": (1000, "1,000 credits"), "requests": (1000, "1,000 requests"), "minutes": (1, "minute")}


@dataclass(frozen=True)
class Names:
    """What the parts of movements are called."""

    moved: Moved

    def company(self, pk: int | None) -> str:
        return UNASSIGNED if pk is None else told_apart(self.moved.companies[pk].name, "company")

    def project(self, pk: int) -> str:
        return self.moved.projects[pk].display_name

    def model(self, model: str) -> str:
        return self.moved.models.get(model) or model or NO_MODEL


def movement_table(
    movements: Iterable[Movement],
    heads: Callable[[Movement], str],
    names: Names,
    figures: Figures,
    *,
    caption: str,
    subject: str,
    csv_url: str,
) -> Table:
    """A row for each of ``movements``; ``heads`` makes the heading of one."""
    return Table(
        caption,
        (
            Column(subject, is_number=False),
            Column("Difference"),
            Column("Change", unit="%"),
            Column("Mostly because", is_number=False, css="is-text is-sentence"),
        ),
        tuple(
            Row(
                (
                    heads(each),
                    _difference(each, figures.currency),
                    figures.change(each.change),
                    sentence(each, names, figures.currency),
                )
            )
            for each in movements
        ),
        csv_url=csv_url,
    )


def _difference(movement: Movement, currency: str) -> Cell:
    amount = movement.amount(currency)
    shown = Money(currency, abs(amount))
    return Cell(f"{'+' if amount > 0 else '−'}{shown}", (Money(currency, amount),))


def sentence(movement: Movement, names: Names, currency: str) -> Cell:
    """Why, and how much of the whole that is where it is not all of it."""
    html = _because(movement, names, currency)
    part = abs(movement.part_change.now.cost_in(currency) - movement.part_change.before.cost_in(currency))
    if str(Money(currency, part)) != str(Money(currency, abs(movement.amount(currency)))):
        html = format_html('{} <span class="muted nowrap">({})</span>', html, Money(currency, part))
    return Cell(html, text_of(html))


def _because(movement: Movement, names: Names, currency: str) -> SafeString:
    part, cause = movement.part, movement.cause
    model = isolated(names.model(part.model))
    key = isolated(names.project(part.project)) if part.project is not None else None
    match cause:
        case Cause.KEY_CAME:
            return format_html("{} was not used before, mostly {} now", key, model)
        case Cause.KEY_WENT:
            return format_html("{} is no longer used", key)
        case Cause.KEY_TAKEN:
            return format_html("{} came from {}", key, _companies(movement, names))
        case Cause.KEY_GIVEN:
            return format_html("{} went to {}", key, _companies(movement, names))
        case Cause.MODEL_CAME:
            return format_html("{} uses {} now", key, model) if key else format_html("{} is used now", model)
        case Cause.MODEL_WENT:
            return (
                format_html("{} no longer uses {}", key, model) if key else format_html("{} is no longer used", model)
            )
    where = format_html("{} with {}", key, model) if key else model
    if cause is Cause.COST:
        return format_html("{} cost {}", where, "more" if movement.amount(currency) > 0 else "less")
    figures = _quantities(movement) if cause is Cause.QUANTITY else _prices(movement, currency)
    if movement.subject == part:  # its row is called so already
        return format_html("{}", figures[0].upper() + figures[1:])
    return format_html("{}: {}", where, figures)


def _companies(movement: Movement, names: Names) -> SafeString:
    return isolated(joined(sorted(names.company(pk) for pk in movement.others)))


def _quantities(movement: Movement) -> str:
    """ "more used, 1,200 → 1,800 credits (+50.0 %)"."""
    before, now = movement.quantity(movement.part_change.before), movement.quantity(movement.part_change.now)
    word = "more used" if now > before else "less used"
    digits = 1 if movement.figure == "minutes" else 0
    figures = f"{format_number(before, digits)} → {format_number(now, digits)} {movement.figure}"
    return f"{word}, {figures} ({_percent(before, now)})"


def _prices(movement: Movement, currency: str) -> str:
    """ "price up, $0.3000 → $0.3600 per 1,000 credits (+20.0 %)"."""
    size, unit = _UNITS[movement.figure]
    before, now = (
        side.cost_in(currency) / movement.quantity(side) * size
        for side in (movement.part_change.before, movement.part_change.now)
    )
    word = "price up" if now > before else "price down"
    return f"{word}, {_price(before, currency)} → {_price(now, currency)} per {unit} ({_percent(before, now)})"


def _price(amount: Decimal, currency: str) -> str:
    """With as many digits as tell small prices apart."""
    symbol = str(Money(currency, Decimal(1))).removesuffix("1.00")
    return f"{symbol}{amount:.4f}"


def _percent(before: Decimal, now: Decimal) -> str:
    return f"{signed(to_tenth(100 * (now - before) / before))} %" if before else "new"

"""The subscription card of a provider's page: the plan as the provider reported it, as far as it did."""

from __future__ import annotations

from dataclasses import dataclass

from core.money import UNKNOWN, Money, format_number
from costs.pages import formatters
from costs.pages.words import PageWords
from providers.plan import Plan

WARNING_AT_PERCENT = 90


@dataclass(frozen=True)
class PlanCard:
    """The words of the card; empty where nothing is known."""

    tier: str
    status: str
    used: str
    used_value: int | None
    limit_value: int | None
    unit: str
    resets: str
    overage: str
    next_invoice: str
    invoice_parts: tuple[tuple[str, str, str], ...]  # of the next invoice: its name, its amount, a remark
    usage_warning: str  # that the plan is nearly used up, used up, or how much more was used; else empty


def read_plan(subscription: object, words: PageWords) -> PlanCard | None:
    """The card of Provider.subscription; None where no plan was read."""
    plan = Plan.of(subscription)
    if plan is None:
        return None
    name = _words(plan.name)
    return PlanCard(
        tier=f"{name} plan" if name else "Plan not reported",
        status=_words(plan.status),
        used=f"{format_number(plan.used)} of {format_number(plan.included)} {words.plan_unit} used"
        if plan.used is not None and plan.included is not None
        else "",
        used_value=plan.used,
        limit_value=plan.included,
        unit=words.plan_unit.capitalize(),
        resets=f"Resets {formatters.day(plan.resets_at.date())}" if plan.resets_at else "",
        overage=_shown(plan.overage) if plan.overage and plan.overage.amount else "",
        next_invoice=_shown(plan.next_invoice),
        invoice_parts=_invoice_parts(plan, words) if plan.next_invoice and words.invoice_explained else (),
        usage_warning=_usage_warning(plan, words.plan_unit),
    )


def _invoice_parts(plan: Plan, words: PageWords) -> tuple[tuple[str, str, str], ...]:
    """As reported: nothing is computed from a plan, and what is not known is none."""
    alone = f"{words.start} does not report it by itself"
    return (
        ("Plan fee", UNKNOWN, alone),
        ("Overage", _shown(plan.overage), "so far") if plan.overage else ("Overage", UNKNOWN, alone),
        ("Next invoice", _shown(plan.next_invoice), "as it stands"),
    )


def _usage_warning(plan: Plan, unit: str) -> str:
    if not plan.used or plan.included is None:
        return ""
    if plan.used > plan.included:
        return f"Used up: {format_number(plan.used - plan.included)} {unit} over"
    if plan.used == plan.included:
        return "Used up"
    return "Nearly used up" if plan.used * 100 >= plan.included * WARNING_AT_PERCENT else ""


def _shown(money: Money | None) -> str:
    return str(money) if money else ""


def _words(text: str) -> str:
    """ "past_due" → "Past due"."""
    return text.replace("_", " ").strip().capitalize()

"""manage.py set_budget"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.utils import timezone

from alerts.evaluation import evaluate_if_asked
from alerts.models import Budget, Threshold
from alerts.services.budgets import Limit, default_limits, save_budget
from core.amounts import CURRENCIES
from core.commands import ProductCommand, bad_input, invalid
from core.months import first_of
from providers.lookups import provider_named
from providers.models import Company, Provider


class Command(ProductCommand):
    help = (
        "Make or change the monthly budget of a company or a provider, from this month on. Alerts are raised once a "
        "month when so many percent of it are spent; without --threshold at 50, 80 and 100 percent, and when the "
        "forecast passes it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        subject = parser.add_mutually_exclusive_group(required=True)
        subject.add_argument("--company", metavar="NAME")
        subject.add_argument("--provider", metavar="NAME")
        parser.add_argument("--amount", required=True, help="for one month, e.g. 500")
        parser.add_argument("--currency", required=True, choices=CURRENCIES, type=str.lower)
        parser.add_argument(
            "--threshold",
            action="append",
            metavar="PERCENT",
            help="tell when so many percent are spent; may be given several times, and replaces those there are",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        company = _company(options["company"]) if options["company"] is not None else None
        provider = provider_named(options["provider"]) if options["provider"] is not None else None
        budget, is_new = _budget(company, provider, options["currency"])
        budget.amount = _number(options["amount"], "--amount")
        if is_new:
            budget.starts_on = first_of(now.date())
        if options["threshold"]:
            limits = [
                Limit(Threshold.Kind.ACTUAL, _number(text.rstrip(" %"), "--threshold")) for text in options["threshold"]
            ]
        elif is_new:
            limits = default_limits()
        else:
            limits = [Limit(each.kind, each.percent, each.amount) for each in budget.thresholds.all()]
        try:
            save_budget(budget=budget, limits=limits)
        except ValidationError as error:
            raise invalid(error) from None
        # A command's messages reach no worker of another process: it does the work itself, and the outbox waits there.
        evaluate_if_asked(now=timezone.now())
        in_order = sorted(limits, key=lambda limit: (limit.kind, limit.percent or 0))
        in_order = sorted(limits, key=lambda limit: (limit.kind, limit.percent or 0))
        said = ", ".join(limit.said(budget.currency) for limit in in_order)
        made = "made" if is_new else "changed"
        self.stdout.write(f"The monthly budget of {budget.subject} was {made}: {budget.money}. Alerts when {said}.")


def _company(name: str) -> Company:
    company = Company.objects.named(name).first()
    if company is None:
        raise bad_input(f"There is no company named “{name}”.")
    return company


def _budget(company: Company | None, provider: Provider | None, currency: str) -> tuple[Budget, bool]:
    """The monthly budget that there is of this currency, or a new one."""
    stored = Budget.objects.filter(company=company, provider=provider, project=None, period=Budget.Period.MONTH)
    if found := stored.filter(currency=currency).first():
        return found, False
    return Budget(company=company, provider=provider, currency=currency, period=Budget.Period.MONTH), True


def _number(text: str, option: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or value <= 0 or value >= 10**12 or value != value.quantize(Decimal("0.01")):
        raise bad_input(f"{option} must be a number above zero with at most two decimals, not “{text}”.")
    return value

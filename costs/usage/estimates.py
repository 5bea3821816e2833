"""Estimated costs: where a provider reports no money at all, an operator's rate per 1,000 credits stands in.

The write path estimates what it writes (costs.usage.writing); here a rate is set, and what is stored already follows it
by that same path.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from core import amounts
from core.amounts import CURRENCIES
from core.audit import audit_event
from core.sums import ExactSum
from costs.models import DailyUsage
from costs.usage.attribution import locked
from costs.usage.writing import estimated_cost, rewrite_estimates
from providers.models import Provider
from providers.registry import words_of


def reports_cost(provider: Provider) -> bool:
    """Whether any stored usage has a cost that the provider reported, if only of zero; one query."""
    return DailyUsage.objects.for_provider(provider).filter(cost__isnull=False, estimated=False).exists()


@transaction.atomic
def set_credit_rate(*, provider: Provider, rate: Decimal | None, currency: str, now: datetime) -> int:
    """Estimate the provider's unknown costs at ``rate`` per 1,000 credits from now on, and rewrite stored estimates.

    Without a rate every estimate becomes unknown again, and ``currency`` counts for nothing. Reported costs are never
    touched. Returns how many rows have changed. Raises ValidationError for an unknown currency, for a rate that is not
    positive or makes costs too large to store, and for a provider that reports costs.

    A sync may run meanwhile: the write path reads the rate under the same lock, so whoever comes second writes at the
    new rate.
    """
    (held,) = locked([provider.pk])
    if rate is not None:
        _check(provider, rate, currency)
    old = _facts(held)
    provider.credit_rate = rate
    provider.credit_rate_currency = "" if rate is None else currency
    provider.save(update_fields=["credit_rate", "credit_rate_currency"])
    changed = rewrite_estimates(provider=provider, now=now)
    if (new := _facts(provider)) != old:
        audit_event("provider.credit_rate_changed", provider, old=old, new=new)
    return changed


def _facts(provider: Provider) -> dict[str, str | None]:
    """The part of a provider that the audit log records when its credit rate changes."""
    rate = provider.credit_rate
    text = None if rate is None else f"{rate.normalize():f} {provider.credit_rate_currency.upper()}"
    return {"credit_rate": text}


def _check(provider: Provider, rate: Decimal, currency: str) -> None:
    if currency not in CURRENCIES:
        raise ValidationError({"currency": "Choose a currency."})
    if not rate.is_finite() or rate <= 0:
        raise ValidationError({"rate": "The rate must be more than 0."})
    if reports_cost(provider):
        start = words_of(provider.type).start
        raise ValidationError(f"{start} reports costs for this provider: estimates would stand beside real amounts.")
    estimable = DailyUsage.objects.for_provider(provider).estimable()
    credits_used = estimable.aggregate(total=ExactSum("credits"))["total"] or Decimal(0)
    if estimated_cost(credits_used, rate) > amounts.COST.largest:
        raise ValidationError({"rate": "At this rate the usage would have cost more than can be stored: check it."})

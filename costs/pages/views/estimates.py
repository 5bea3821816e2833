"""The form with which an operator sets a rate per 1,000 credits where the provider reports no cost at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from core.amounts import CURRENCIES, DEFAULT_CURRENCY
from core.money import SYMBOLS
from core.responses import add_errors
from core.wording import count
from costs.pages.restatements import exact
from costs.usage.estimates import reports_cost, set_credit_rate
from providers.models import Provider
from providers.registry import words_of

HIGHEST_RATE = 1000


class CreditRateForm(forms.Form):
    """``remove`` is the name of the other button; then the fields count for nothing."""

    rate = forms.DecimalField(
        label="Cost of 1,000 credits",
        required=False,
        max_digits=12,
        decimal_places=6,
        max_value=HIGHEST_RATE,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={
            "invalid": "Enter a number, for example 0.30.",
            "max_value": f"The rate must be at most {HIGHEST_RATE:,}.",
        },
    )
    currency = forms.ChoiceField(
        label="Currency",
        required=False,
        choices=[(currency, currency.upper()) for currency in CURRENCIES],
        error_messages={"invalid_choice": "Choose one of the list."},
    )

    @property
    def removes(self) -> bool:
        return "remove" in self.data

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.removes:
            self.errors.clear()
            return {"rate": None, "currency": ""}
        if "rate" in cleaned and cleaned["rate"] is None:
            self.add_error("rate", "Enter the cost of 1,000 credits.")
        if "currency" in cleaned and not cleaned["currency"]:
            self.add_error("currency", "Choose a currency.")
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
def credit_rate(request: HttpRequest, pk: int) -> HttpResponse:
    provider = get_object_or_404(Provider, pk=pk)
    current = rate_text(provider)
    form = CreditRateForm(request.POST if request.method == "POST" else None, initial=_stored(provider))
    if form.is_valid():
        rate: Decimal | None = form.cleaned_data["rate"]
        try:
            changed = set_credit_rate(
                provider=provider, rate=rate, currency=form.cleaned_data["currency"], now=timezone.now()
            )
        except ValidationError as refusal:
            add_errors(form, refusal)
        else:
            messages.success(request, _done(rate, changed))
            return redirect(provider)
    context = {
        "provider": provider,
        "name": provider.name,
        "form": form,
        "current": current,
        "reports_cost": reports_cost(provider),
        "words": words_of(provider.type),
    }
    return render(request, "providers/credit_rate.html", context, status=422 if form.errors else 200)


def _stored(provider: Provider) -> dict[str, str | None]:
    """The fields as they are set, or to begin with."""
    rate = provider.credit_rate
    return {
        "rate": None if rate is None else _at_least_cents(rate).replace(",", ""),
        "currency": provider.credit_rate_currency or provider.currency or DEFAULT_CURRENCY,
    }


def _done(rate: Decimal | None, changed: int) -> str:
    amounts = f"{count(changed, 'amount')} {'was' if changed == 1 else 'were'}"
    if rate is None:
        return f"The credit rate was removed; {amounts} made unknown again."
    return f"The credit rate was set; {amounts} estimated anew."


def rate_text(provider: Provider) -> str:
    """ "$0.30 per 1,000 credits"; empty where no rate is set."""
    if provider.credit_rate is None:
        return ""
    symbol = SYMBOLS.get(provider.credit_rate_currency, f"{provider.credit_rate_currency.upper()} ")
    return f"{symbol}{_at_least_cents(provider.credit_rate)} per 1,000 credits"


def _at_least_cents(rate: Decimal) -> str:
    whole, _point, digits = exact(rate).partition(".")
    return f"{whole}.{digits:0<2}"

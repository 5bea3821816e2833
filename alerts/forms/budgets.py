"""A budget: what it is for, how much, for which days, and when to tell."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from alerts.models import Budget, Threshold
from alerts.services.budgets import Limit, default_limits
from core.amounts import CURRENCIES, DEFAULT_CURRENCY
from core.months import first_of
from providers.forms.fields import DayField
from providers.models import Company, Project, Provider

EVERYTHING = "everything"
# More keys than this are no list to choose from; their budgets are made on a narrower subject.
MOST_KEYS = 500
_AMOUNT = re.compile(r"[0-9]{1,12}(?:[.,][0-9]{1,2})?", re.ASCII)
_UNREADABLE = "Enter an amount above zero, for example 500 or 499.90."


class ThresholdsField(forms.CharField):
    """ "50 %, 80 %, 400": percentages and amounts, separated by commas, semicolons or spaces."""

    def __init__(self, *, kind: str, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(
            max_length=200, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}), **kwargs
        )

    def clean(self, value: Any) -> Any:
        text = super().clean(value).replace(" %", "%")
        return {self._limit(word) for word in re.split(r"[,;\s]+", text) if word}

    def _limit(self, word: str) -> Limit:
        number = word.removesuffix("%")
        if not _AMOUNT.fullmatch(number) or not Decimal(number):
            raise ValidationError("Write thresholds like 50 %, 80 % or, as amounts, 400.")
        return Limit(self.kind, Decimal(number)) if word.endswith("%") else Limit(self.kind, amount=Decimal(number))


def written(limits: list[Limit], kind: str) -> str:
    """As ThresholdsField reads them."""
    of_kind = sorted(limit.percent or Decimal(0) for limit in limits if limit.kind == kind and limit.percent)
    amounts = sorted(limit.amount for limit in limits if limit.kind == kind and limit.amount)
    return ", ".join([f"{percent.normalize():f} %" for percent in of_kind] + [f"{one:f}" for one in amounts])


class BudgetForm(forms.Form):
    subject = forms.ChoiceField(
        label="For", error_messages={"required": "Choose what it is for.", "invalid_choice": "Choose from the list."}
    )
    amount = forms.CharField(
        label="Amount",
        max_length=20,
        error_messages={"required": "Enter an amount."},
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    currency = forms.ChoiceField(label="Currency", choices=[(code, code.upper()) for code in CURRENCIES])
    period = forms.ChoiceField(label="Period", choices=Budget.Period.choices)
    starts_on = DayField(label="From", required="Enter a first day.")
    ends_on = DayField(label="Until", required="Enter a last day.", help_text="Only of a budget that is for once.")
    spent = ThresholdsField(
        kind=Threshold.Kind.ACTUAL,
        label="Tell when so much is spent",
        help_text="Percentages, or amounts, with commas.",
    )
    forecast = ThresholdsField(
        kind=Threshold.Kind.FORECAST,
        label="Tell when the forecast passes",
        help_text="From the fifth settled day of a period on.",
    )

    def __init__(self, data: Any, *, budget: Budget, today: Any) -> None:
        self.budget = budget
        super().__init__(data, initial=None if data else _initial(budget, today))
        subject = self.fields["subject"]
        assert isinstance(subject, forms.ChoiceField)  # noqa: S101 - for the type checker
        subject.choices = _subjects(budget)
        self.fields["ends_on"].required = False

    def clean_amount(self) -> Decimal:
        text = self.cleaned_data["amount"].strip().replace(",", ".")
        if not _AMOUNT.fullmatch(text) or not Decimal(text):
            raise ValidationError(_UNREADABLE)
        return Decimal(text)

    @property
    def limits(self) -> set[Limit]:
        return set(self.cleaned_data["spent"]) | set(self.cleaned_data["forecast"])

    def fill(self) -> Budget:
        """The budget as it was written; not stored yet."""
        budget, data = self.budget, self.cleaned_data
        kind, _colon, pk = data["subject"].partition(":")
        budget.company = Company.objects.get(pk=pk) if kind == "company" else None
        budget.provider = Provider.objects.get(pk=pk) if kind == "provider" else None
        budget.project = Project.objects.select_related("provider").get(pk=pk) if kind == "project" else None
        budget.amount, budget.currency, budget.period = data["amount"], data["currency"], data["period"]
        budget.starts_on, budget.ends_on = data["starts_on"], data["ends_on"]
        return budget


def _initial(budget: Budget, today: Any) -> dict[str, Any]:
    stored = [Limit(each.kind, each.percent, each.amount) for each in budget.thresholds.all()] if budget.pk else []
    limits = stored or default_limits()
    return {
        "subject": budget.key_of_subject,
        "amount": f"{budget.amount:f}" if budget.amount is not None else "",
        "currency": budget.currency or DEFAULT_CURRENCY,
        "period": budget.period,
        "starts_on": budget.starts_on or first_of(today),
        "ends_on": budget.ends_on,
        "spent": written(limits, Threshold.Kind.ACTUAL),
        "forecast": written(limits, Threshold.Kind.FORECAST),
    }


def _subjects(budget: Budget) -> list[Any]:
    keys = Project.objects.select_related("provider").order_by("provider__name", "name")
    shown = list(keys.filter(deleted_at=None)[:MOST_KEYS])
    if budget.project and budget.project not in shown:
        shown.append(budget.project)
    companies = [(f"company:{each.pk}", each.name) for each in Company.objects.current()]
    if budget.company and budget.company.archived_at:
        companies.append((f"company:{budget.company.pk}", budget.company.name))
    groups = [
        ("Companies", companies),
        ("Providers", [(f"provider:{each.pk}", each.name) for each in Provider.objects.all()]),
        ("API keys", [(f"project:{each.pk}", f"{each.display_name} ({each.provider.name})") for each in shown]),
    ]
    return [(EVERYTHING, "Everything"), *((name, options) for name, options in groups if options)]

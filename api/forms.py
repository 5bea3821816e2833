"""Making a token."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User

from accounts.access import ASSIGN, AUDIT, SYNC, membership_of
from api.models import Scope
from api.services import DAYS, LONGEST_NAME, MOST_DAYS
from providers.forms.fields import NameField
from providers.models import Company
from providers.permissions import SEE_PROVIDERS

# Without which a scope opens nothing.
_NEEDS = {Scope.PROVIDERS: SEE_PROVIDERS, Scope.SYNC: SYNC, Scope.ATTRIBUTION: ASSIGN, Scope.AUDIT: AUDIT}


class TokenForm(forms.Form):
    """Offers what the person may see and do."""

    name = NameField(
        label="Name",
        max_length=LONGEST_NAME,
        help_text="What it is for, e.g. Grafana.",
        error_messages={"required": "Enter a name."},
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one.", "invalid_choice": "Choose from the list."},
    )
    company = forms.ModelChoiceField(
        label="Company",
        queryset=Company.objects.none(),
        required=False,
        empty_label="Everything that you see",
        help_text="With one, it sees what this company costs and its statements, and nothing else.",
        error_messages={"invalid_choice": "Choose a company from the list."},
    )
    days = forms.IntegerField(
        label="Days that it lasts",
        initial=DAYS,
        min_value=1,
        max_value=MOST_DAYS,
        error_messages={"required": "Enter a number of days.", "invalid": "Enter a number of days."},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes, company = self.fields["scopes"], self.fields["company"]
        assert isinstance(scopes, forms.MultipleChoiceField)  # noqa: S101 - for the type checker
        assert isinstance(company, forms.ModelChoiceField)  # noqa: S101
        scopes.choices = [
            (scope.value, scope.label) for scope in Scope if scope not in _NEEDS or user.has_perm(_NEEDS[scope])
        ]
        membership = membership_of(user)
        if user.has_perm(SEE_PROVIDERS):
            company.queryset = Company.objects.current()
        elif membership is not None:
            company.queryset = membership.companies.order_by("name")
        self.fields["name"].widget.attrs["autocomplete"] = "off"

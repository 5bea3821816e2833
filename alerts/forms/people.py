"""How a person is told, and of which companies otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from accounts.access import sees_company
from accounts.models import Role
from alerts.models import Preferences, Severity, Subscription
from providers.models import Company

if TYPE_CHECKING:
    _PreferencesModelForm = forms.ModelForm[Preferences]
else:
    _PreferencesModelForm = forms.ModelForm


class PreferencesForm(_PreferencesModelForm):
    class Meta:
        model = Preferences
        fields = ("email", "mail", "mail_minimum", "quiet_from", "quiet_until", "list_minimum")
        labels: ClassVar = {
            "email": "E-mail address",
            "mail": "Mail",
            "mail_minimum": "Mail from",
            "list_minimum": "List from",
            "quiet_from": "Quiet from",
            "quiet_until": "Quiet until",
        }
        widgets: ClassVar = {
            "email": forms.EmailInput(attrs={"autocomplete": "email"}),
            "quiet_from": forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
            "quiet_until": forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        account = self.instance.user.email
        self.fields["email"].help_text = f"Blank: {account}, the one of your account." if account else ""
        for name in ("mail_minimum", "list_minimum"):
            field = self.fields[name]
            assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - for the type checker
            field.choices = Severity.choices

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if bool(data.get("quiet_from")) != bool(data.get("quiet_until")):
            raise ValidationError({"quiet_until": "Enter both times of the quiet hours, or none."})
        return data


class SubscriptionForm(forms.Form):
    """Of oneself; an Admin chooses for Company viewers as well, who are told nothing without."""

    user = forms.ModelChoiceField(
        label="Person",
        queryset=User.objects.none(),
        empty_label=None,
        error_messages={"invalid_choice": "Choose a person from the list."},
    )
    company = forms.ModelChoiceField(
        label="Company",
        queryset=Company.objects.none(),
        empty_label="Choose a company",
        error_messages={"required": "Choose a company.", "invalid_choice": "Choose a company from the list."},
    )
    minimum = forms.TypedChoiceField(label="From", choices=Subscription.MINIMUMS, coerce=int, initial=Severity.INFO)

    def __init__(self, *args: Any, user: User, decides_for_clients: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(pk=user.pk)
        if decides_for_clients:
            people |= User.objects.filter(is_active=True, membership__role=Role.COMPANY_VIEWER)
        person, company = self.fields["user"], self.fields["company"]
        assert isinstance(person, forms.ModelChoiceField)  # noqa: S101 - for the type checker
        assert isinstance(company, forms.ModelChoiceField)  # noqa: S101
        person.queryset = people.order_by("username")
        person.initial = user.pk
        company.queryset = Company.objects.current()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        user, company = data.get("user"), data.get("company")
        if user and company and not sees_company(user, company.pk):
            raise ValidationError({"company": "This person does not see this company."})
        return data

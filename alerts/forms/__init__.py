"""Forms of budgets, endpoints and notifications."""

from alerts.forms.budgets import BudgetForm
from alerts.forms.endpoints import EndpointForm
from alerts.forms.people import PreferencesForm, SubscriptionForm

__all__ = ["BudgetForm", "EndpointForm", "PreferencesForm", "SubscriptionForm"]

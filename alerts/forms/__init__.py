"""Forms of budgets, endpoints and notifications."""

from alerts.forms.budgets import BudgetForm
from alerts.forms.endpoints import EndpointForm
from alerts.forms.people import PreferencesForm, SubscriptionForm
from alerts.forms.rules import RuleForm, rule_forms

__all__ = ["BudgetForm", "EndpointForm", "PreferencesForm", "RuleForm", "SubscriptionForm", "rule_forms"]

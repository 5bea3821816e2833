"""The pages of budgets, alerts and notifications; who may open which says accounts.access."""

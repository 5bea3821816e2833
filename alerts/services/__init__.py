"""What people and programs do to budgets, endpoints and subscriptions, and the raising of alerts."""

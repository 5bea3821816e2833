"""Budgets, what is watched besides, and how people are told: rules, the outbox, mail and webhooks, pages."""

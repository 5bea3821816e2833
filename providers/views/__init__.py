"""Connecting, managing and syncing providers, assigning keys, naming companies. Money is in costs.pages."""

"""Connecting, managing and syncing providers, assigning keys, naming companies. What shows money is in costs.views."""

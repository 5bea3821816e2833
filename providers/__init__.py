"""Providers, their API keys (projects), the companies those belong to, and the sync runs. Knows no other app."""

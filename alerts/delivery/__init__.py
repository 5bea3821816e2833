"""How people and programs are told: the outbox, webhooks, Slack, mail."""

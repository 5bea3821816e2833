"""What the audit log calls the acts of this app."""

from core.audit import AuditGroup, register_labels

TOKENS = AuditGroup(8, "tokens", "API tokens")


def register() -> None:
    register_labels(
        {
            "token.created": "API token made",
            "token.revoked": "API token revoked",
            "token.used_from_new_address": "API token used from a new address",
        },
        group=TOKENS,
    )

"""What the audit log calls the acts of this app."""

from core.audit import AuditGroup, register_labels
from providers.audit_labels import PROVIDERS

MONTHS = AuditGroup(6, "months", "Statements")
EXPORTS = AuditGroup(7, "exports", "Exports")


def register() -> None:
    register_labels(
        {
            "provider.credit_rate_changed": "Credit rate changed",
        },
        group=PROVIDERS,
    )
    register_labels(
        {
            "agency.changed": "Agency changed",
            "month.closed": "Month closed",
        },
        group=MONTHS,
    )
    register_labels(
        {
            "statement.exported": "Statement exported",
            "table.exported": "Table exported",
            "usage.exported": "Usage exported",
        },
        group=EXPORTS,
    )

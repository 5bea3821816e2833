"""What the audit log calls the acts of this app."""

from core.audit import AuditGroup, register_labels

PROVIDERS = AuditGroup(1, "providers", "Providers")
SYNCS = AuditGroup(2, "syncs", "Syncs")
API_KEYS = AuditGroup(3, "assignments", "API keys")
RULES = AuditGroup(4, "rules", "Rules")
COMPANIES = AuditGroup(5, "companies", "Companies")


def register() -> None:
    register_labels(
        {
            "provider.agents_changed": "Attribution of agents changed",
            "provider.connected": "Provider connected",
            "provider.deleted": "Provider deleted",
            "provider.disconnected": "Provider disconnected",
            "provider.key_replaced": "Provider's key replaced",
            "provider.paused": "Syncing paused",
            "provider.renamed": "Provider renamed",
            "provider.resumed": "Syncing resumed",
            "provider.sharing_changed": "Sharing of keyless usage changed",
        },
        group=PROVIDERS,
    )
    register_labels(
        {
            "sync.accepted": "Held answer accepted",
            "sync.requested": "Sync asked for",
        },
        group=SYNCS,
    )
    register_labels(
        {
            "assignment.undone": "Assignment undone",
            "keys.assigned": "API keys assigned",
            "keys.renamed": "API key renamed",
        },
        group=API_KEYS,
    )
    register_labels(
        {
            "rule.applied": "Rules applied",
            "rule.changed": "Rule changed",
            "rule.created": "Rule added",
            "rule.deleted": "Rule deleted",
        },
        group=RULES,
    )
    register_labels(
        {
            "company.changed": "Company changed",
            "company.created": "Company added",
            "company.deleted": "Company deleted",
        },
        group=COMPANIES,
    )

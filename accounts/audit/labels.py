"""The audit log in plain words: what an act is called, and what it changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from accounts.audit.models import AuditEntry
from providers.models import AssignmentRule, Provider

# What can be filtered by: the label, and the nouns of the actions that belong to it.
GROUPS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "providers": ("Providers", ("provider",)),
    "syncs": ("Syncs", ("sync",)),
    "assignments": ("API keys", ("keys", "assignment")),
    "rules": ("Rules", ("rule",)),
    "companies": ("Companies", ("company",)),
    "months": ("Closed months", ("month",)),
    "exports": ("Exports", ("usage", "table", "audit")),
    "members": ("Members", ("member",)),
    "security": ("Sign-in and security", ("session", "password", "two_factor")),
}

ACTIONS: Final[Mapping[str, str]] = {
    "assignment.undone": "Assignment undone",
    "audit.exported": "Audit log exported",
    "company.changed": "Company changed",
    "company.created": "Company added",
    "company.deleted": "Company deleted",
    "keys.assigned": "API keys assigned",
    "keys.renamed": "API key renamed",
    "member.created": "First admin made",
    "member.deactivated": "Member deactivated",
    "member.invitation_withdrawn": "Invitation withdrawn",
    "member.invited": "Member invited",
    "member.joined": "Member joined",
    "member.reactivated": "Member reactivated",
    "member.removed": "Member removed",
    "member.role_changed": "Role changed",
    "member.single_sign_on_unlinked": "Single sign-on unlinked",
    "month.closed": "Month closed",
    "password.changed": "Password changed",
    "provider.connected": "Provider connected",
    "provider.credit_rate_changed": "Credit rate changed",
    "provider.deleted": "Provider deleted",
    "provider.disconnected": "Provider disconnected",
    "provider.key_replaced": "Provider's key replaced",
    "provider.paused": "Syncing paused",
    "provider.renamed": "Provider renamed",
    "provider.resumed": "Syncing resumed",
    "provider.sharing_changed": "Sharing of keyless usage changed",
    "rule.applied": "Rules applied",
    "rule.changed": "Rule changed",
    "rule.created": "Rule added",
    "rule.deleted": "Rule deleted",
    "session.ended_elsewhere": "Signed out everywhere else",
    "session.failures_summed": "Failed sign-ins, summed up",
    "session.sign_in_failed": "Sign-in failed",
    "session.signed_in": "Signed in",
    "session.signed_out": "Signed out",
    "sync.accepted": "Held answer accepted",
    "sync.requested": "Sync asked for",
    "table.exported": "Table exported",
    "two_factor.disabled": "Second factor removed",
    "two_factor.enabled": "Second factor added",
    "two_factor.recovery_codes_made": "Recovery codes made",
    "two_factor.reset": "Two-factor reset",
    "usage.exported": "Usage exported",
}

_FIELDS: Final[Mapping[str, str]] = {
    "by": "With",
    "credit_rate": "Per 1,000 credits",
    "email": "E-mail address",
    "key_ending": "Key",
    "keyless_sharing": "Usage without an API key",
    "keys": "API keys",
    "api_keys": "API keys",
    "markup_percent": "Mark-up in percent",
    "number": "API keys in total",
    "region": "Data residency",
    "removed_company": "Removed company",
    "step": "At the",
}

_VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    "keyless_sharing": dict(Provider.KeylessSharing.choices),
    "source": dict(Provider.Source.choices),
    "kind": dict(AssignmentRule.Kind.choices),
    "by": {
        "totp": "authenticator app",
        "webauthn": "passkey",
        "recovery_codes": "recovery code",
        "socialaccount": "single sign-on",
    },
    "type": {"totp": "authenticator app", "webauthn": "passkey"},
}

NOTHING: Final = "—"
_SHOWN_OF_A_LIST: Final = 5


@dataclass(frozen=True)
class Change:
    """One line of what an act was about: a new value, an old one, or both."""

    label: str
    old: str
    new: str

    @property
    def text(self) -> str:
        if self.old and self.new and self.old != self.new:
            return f"{self.old} → {self.new}"
        return self.new or self.old

    def __str__(self) -> str:
        return f"{self.label}: {self.text}"


def act(action: str) -> str:
    """What it is called; one that has no words yet by its own: "alert.sent" is "Alert sent"."""
    return ACTIONS.get(action) or action.replace(".", " ").replace("_", " ").capitalize()


def changes(entry: AuditEntry) -> list[Change]:
    """What it was about, line by line, in the order in which it was told."""
    names = list(dict.fromkeys([*entry.new, *entry.old]))
    if "number" in names and _number_is_told(entry):
        names.remove("number")
    both = bool(entry.old and entry.new)
    return [
        Change(
            _FIELDS.get(name) or name.replace("_", " ").capitalize(),
            old=_said(name, entry.old[name]) if name in entry.old else NOTHING if both and _was_absent(name) else "",
            new=_said(name, entry.new[name]) if name in entry.new else NOTHING if both else "",
        )
        for name in names
    ]


def _number_is_told(entry: AuditEntry) -> bool:
    """Whether the keys that are named are all that there were."""
    told = entry.new if "number" in entry.new else entry.old
    return isinstance(told.get("keys"), list) and len(told["keys"]) == told["number"]


def _was_absent(name: str) -> bool:
    """Of a range of days, and of what an undo removed, there is no old value."""
    return name not in {"from", "to", "removed_company"}


def _said(name: str, value: Any) -> str:
    if value is None:
        return "all history" if name == "from" else NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{inner} {unit.upper()}" for unit, inner in value.items()) or NOTHING
    if isinstance(value, list):
        return _listed([_said(name, inner) for inner in value])
    text = _VALUES.get(name, {}).get(str(value), str(value))
    if name == "key_ending":
        return f"··{text}" if text else NOTHING
    return text or NOTHING


def _listed(texts: Iterable[str]) -> str:
    texts = list(texts)
    shown = ", ".join(texts[:_SHOWN_OF_A_LIST])
    hidden = len(texts) - _SHOWN_OF_A_LIST
    return f"{shown} and {hidden} more" if hidden > 0 else shown or NOTHING

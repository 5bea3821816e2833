"""The audit log in plain words: what an act is called, and what it changed.

What acts are called is registered by the apps that act (core.audit.register_labels).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from accounts.audit.models import AuditEntry
from core import wording
from core.audit import registered_labels
from core.days import parse_day
from providers.models import AssignmentRule, Provider

_FIELDS: Final[Mapping[str, str]] = {
    "api_token": "By API token",
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
_DAYS: Final = frozenset({"from", "to", "starts", "ends", "expires"})
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
    return registered_labels().get(action) or action.replace(".", " ").replace("_", " ").capitalize()


def changes(entry: AuditEntry) -> list[Change]:
    """What it was about, line by line, by its words: PostgreSQL forgets the order in which it was recorded."""
    names = sorted({*entry.new, *entry.old}, key=_label)
    if "number" in names and _number_is_told(entry):
        names.remove("number")
    both = bool(entry.old and entry.new)
    return [
        Change(
            _label(name),
            old=_said(name, entry.old[name]) if name in entry.old else NOTHING if both and _was_absent(name) else "",
            new=_said(name, entry.new[name]) if name in entry.new else NOTHING if both else "",
        )
        for name in names
    ]


def _label(name: str) -> str:
    return _FIELDS.get(name) or name.replace("_", " ").capitalize()


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
        return ", ".join(f"{inner} {unit.upper()}" for unit, inner in sorted(value.items())) or NOTHING
    if isinstance(value, list):
        return _listed([_said(name, inner) for inner in value])
    if name in _DAYS:
        with contextlib.suppress(ValueError):
            return wording.day(parse_day(str(value)))
    text = _VALUES.get(name, {}).get(str(value), str(value))
    if name == "key_ending":
        return f"··{text}" if text else NOTHING
    return text or NOTHING


def _listed(texts: Iterable[str]) -> str:
    texts = list(texts)
    shown = ", ".join(texts[:_SHOWN_OF_A_LIST])
    hidden = len(texts) - _SHOWN_OF_A_LIST
    return f"{shown} and {hidden} more" if hidden > 0 else shown or NOTHING

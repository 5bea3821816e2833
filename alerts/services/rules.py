"""Switching rules on and off, and setting their limits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from alerts.models import RuleSetting
from alerts.rules import rules
from core.audit import audit_event


@transaction.atomic
def save_rules(*, settings: Iterable[RuleSetting], made_by: User | None = None) -> None:
    """Store them; each that has changed is an act of its own in the audit log."""
    stored = {setting.slug: setting for setting in RuleSetting.objects.all()}
    known = {rule.slug: rule for rule in rules()}
    for setting in settings:
        rule = known[setting.slug]
        usual = RuleSetting(
            slug=setting.slug, is_on=rule.is_on_at_first, limit=rule.limit.default if rule.limit else None
        )
        old, new = _facts(stored.get(setting.slug, usual)), _facts(setting)
        if old != new:
            setting.save()
            changed = [name for name in new if new[name] != old[name]]
            audit_event(
                "alert.rule_changed",
                rule.label,
                actor=made_by,
                old={name: old[name] for name in changed},
                new={name: new[name] for name in changed},
            )


def _facts(setting: RuleSetting) -> dict[str, Any]:
    limit = f"{setting.limit.normalize():f}" if setting.limit is not None else None
    return {"watched": setting.is_on, "limit": limit}

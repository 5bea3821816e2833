from typing import Any

from django.apps import AppConfig
from django.db.models.signals import pre_delete


class CostsConfig(AppConfig):
    name = "costs"
    verbose_name = "Costs"

    def ready(self) -> None:
        """Usage follows its assignments, in the transaction that changes them."""
        from costs import audit_labels
        from costs.pages import search
        from costs.usage.attribution import attribute, attribute_keyless
        from costs.usage.sums import mark_changed_of
        from providers import signals
        from providers.models import Provider

        audit_labels.register()
        search.register()

        def follow_assignments(project_ids: Any, **_signal: Any) -> None:
            attribute(project_ids)

        def follow_sharing(provider: Any, **_signal: Any) -> None:
            attribute_keyless(provider)

        def follow_deletion(instance: Any, **_signal: Any) -> None:
            mark_changed_of(instance.pk)

        pre_delete.connect(follow_deletion, sender=Provider, weak=False, dispatch_uid="costs")
        signals.assignments_changed.connect(follow_assignments, weak=False, dispatch_uid="costs")
        signals.sharing_changed.connect(follow_sharing, weak=False, dispatch_uid="costs")

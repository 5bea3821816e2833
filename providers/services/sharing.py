"""The setting by which usage without an API key is shared between companies while it is not assigned itself."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from core.audit import audit_event
from providers.models import Provider
from providers.services.periods import lock_providers
from providers.signals import notify_sharing_changed


@transaction.atomic
def set_keyless_sharing(*, provider: Provider, sharing: Provider.KeylessSharing, made_by: User | None = None) -> bool:
    """Store the setting, for all of the provider's days; whether it is another than before."""
    lock_providers([provider.pk])
    before = Provider.KeylessSharing(Provider.objects.values_list("keyless_sharing", flat=True).get(pk=provider.pk))
    provider.keyless_sharing = sharing
    if before == sharing:
        return False
    provider.save(update_fields=["keyless_sharing"])
    notify_sharing_changed(provider)
    audit_event(
        "provider.sharing_changed",
        provider,
        actor=made_by,
        old={"keyless_sharing": before.value},
        new={"keyless_sharing": sharing.value},
    )
    return True

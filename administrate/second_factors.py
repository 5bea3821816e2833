"""The two-factor secrets that allauth keeps, for the rotation of encryption keys."""

from __future__ import annotations

from collections.abc import Iterator

from allauth.mfa.models import Authenticator
from django.db import transaction

from providers.services.rotating import StoredToken

# Where django-allauth keeps what its adapter has encrypted: a TOTP secret, the seed of recovery codes.
ENCRYPTED = ("secret", "seed")


def second_factor_secrets() -> Iterator[StoredToken]:
    for factor in Authenticator.objects.select_related("user").order_by("pk"):
        for name in ENCRYPTED:
            if token := factor.data.get(name):
                yield _stored(factor, name, token)


def _stored(factor: Authenticator, name: str, token: str) -> StoredToken:
    @transaction.atomic
    def replace(new: str) -> bool:
        row = Authenticator.objects.select_for_update().filter(pk=factor.pk).first()
        if row is None or row.data.get(name) != token:
            return False
        row.data[name] = new
        row.save(update_fields=["data"])
        return True

    return StoredToken(f"the {factor.get_type_display()} secret of {factor.user.get_username()}", token, replace)

"""manage.py rotate_encryption_keys"""

from __future__ import annotations

from typing import Any

from core.commands import ProductCommand, failure
from providers.services.rotating import rotate_encryption_keys


class Command(ProductCommand):
    help = (
        "Encrypt every stored secret anew with the first of ENCRYPTION_KEYS. Put a new key in front, restart, run "
        "this, then drop the old key. Can be interrupted and repeated. Exit code 1 when something can't be decrypted."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = []
        for rotation in rotate_encryption_keys():
            self.stdout.write(
                f"{rotation.store}: {rotation.rotated} encrypted anew, {rotation.current} already current"
            )
            unreadable += rotation.unreadable
        if unreadable:
            raise failure(
                f"None of ENCRYPTION_KEYS decrypts {', '.join(unreadable)}. "
                "Nothing was changed there: put the missing key back, or enter these secrets again."
            )

"""manage.py delete_provider"""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.utils import timezone

from core.commands import ProductCommand, bad_input, invalid
from providers.lookups import provider_named
from providers.services.managing import delete_provider, disconnect_provider


class Command(ProductCommand):
    help = (
        "Let go of a provider. --keep-history forgets its key and stops syncing; every figure stays. "
        "--with-history deletes its keys, assignments, usage and syncs as well; companies stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the provider's name")
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--keep-history", action="store_true", help="disconnect it and keep its figures")
        which.add_argument("--with-history", action="store_true", help="delete it and its figures; can't be undone")
        parser.add_argument("--confirm", required=True, metavar="NAME", help="the provider's name once more, exactly")

    def handle(self, *args: Any, **options: Any) -> None:
        provider = provider_named(options["name"])
        if options["confirm"].strip() != provider.name:
            raise bad_input(f"--confirm must be the provider's name, “{provider.name}”. Nothing was changed.")
        if options["keep_history"]:
            disconnect_provider(provider=provider, now=timezone.now())
            self.stdout.write(f"{provider.name} is disconnected. Its key is gone, its history stays.")
            return
        try:
            delete_provider(provider=provider, confirmed_name=options["confirm"])
        except ValidationError as error:
            raise invalid(error) from None
        self.stdout.write(f"{provider.name} was deleted with all its history.")

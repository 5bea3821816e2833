"""manage.py pause_provider"""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from core.commands import ProductCommand, bad_input
from providers.lookups import provider_named
from providers.services.managing import pause_provider


class Command(ProductCommand):
    help = "Stop a provider's hourly syncs until it is resumed. Its history stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the provider's name")

    def handle(self, *args: Any, **options: Any) -> None:
        provider = provider_named(options["name"])
        if provider.disconnected_at is not None:
            raise bad_input(f"{provider.name} is disconnected: nothing syncs that could be paused.")
        pause_provider(provider=provider, now=timezone.now())
        self.stdout.write(f"Syncing of {provider.name} is paused. Its history stays.")

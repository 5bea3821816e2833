"""manage.py resume_provider"""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from core.commands import ProductCommand, bad_input
from providers.lookups import provider_named
from providers.services.managing import resume_provider


class Command(ProductCommand):
    help = "Let a paused provider sync again, hourly from now on; what was missed is read as well."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the provider's name")

    def handle(self, *args: Any, **options: Any) -> None:
        provider = provider_named(options["name"])
        if provider.disconnected_at is not None:
            raise bad_input(f"{provider.name} is disconnected. Give it a key with replace_provider_key.")
        resume_provider(provider=provider, now=timezone.now())
        self.stdout.write(f"{provider.name} is resumed.")

"""manage.py rename_provider"""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from core.commands import ProductCommand, invalid
from providers.lookups import provider_named
from providers.services.managing import rename_provider


class Command(ProductCommand):
    help = "Give a provider another name. Its history, its keys and its assignments stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the provider's name")
        parser.add_argument("new_name", metavar="NEW_NAME", help="the name that it gets; unique")

    def handle(self, *args: Any, **options: Any) -> None:
        provider = provider_named(options["name"])
        old_name = provider.name
        try:
            rename_provider(provider=provider, name=options["new_name"])
        except ValidationError as error:
            raise invalid(error) from None
        self.stdout.write(f"{old_name} is now called {provider.name}.")

"""manage.py connect_provider"""

import sys
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.utils import timezone

from core.commands import ProductCommand, bad_input, failure, invalid
from core.secrets import read_api_key
from providers import registry
from providers.models import Provider
from providers.services.connecting import AlreadyConnectedError, connect_provider
from providers.services.queueing import enqueue_quietly


class Command(ProductCommand):
    help = (
        "Connect a workspace: try its API key, store it encrypted, and leave the initial sync queued. "
        "Prints the provider's id. Nothing is stored when the key does not work."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        types = registry.all_types()
        regions = sorted({region.slug for provider_type in types for region in provider_type.regions()})
        default = next(filter(None, map(registry.default_region, types)), "")
        example = registry.words_for().name_example
        parser.add_argument("--type", required=True, choices=[provider_type.slug for provider_type in types])
        parser.add_argument("--name", required=True, help=f'unique, for example "{example}"')
        where = f"where the workspace's data live (default: {default})" if default else "no type has regions"
        parser.add_argument("--region", choices=regions or None, help=where)
        parser.add_argument(
            "--api-key-stdin",
            required=True,
            action="store_true",
            help="read the API key from standard input, so that it stands in no process list and no shell history",
        )
        parser.add_argument(
            "--account-totals",
            action="store_true",
            help="read the totals of the account only, without costs per API key: for a key that may read no more",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            region = _region(options["type"], options["region"])
            api_key = read_api_key(sys.stdin.read(10_000))
            provider, run = connect_provider(
                type=options["type"],
                name=" ".join(options["name"].split()),
                region=region,
                api_key=api_key,
                now=timezone.now(),
                source=Provider.Source.ACCOUNT_TOTALS if options["account_totals"] else Provider.Source.ANALYTICS,
            )
        except ValidationError as error:
            raise invalid(error) from None
        except UnicodeDecodeError:
            raise bad_input("This is not an API key: it has bytes that are no text.") from None
        except (ValueError, AlreadyConnectedError) as error:
            raise bad_input(str(error)) from None
        except registry.KeyRefusedError as error:
            hint = " Or connect with --account-totals (no per-key costs)." if error.offers_account_totals else ""
            raise failure(f"{error}{hint}") from None
        # In the embedded default the queue lives in the server's process, whose sweep finds the run within a minute.
        if not settings.EMBEDDED:
            enqueue_quietly(run=run, now=timezone.now())
        self.stdout.write(str(provider.pk))


def _region(slug: str, asked: str | None) -> str:
    """The region that was named, or the type's first; raises CommandError where the type does not have it."""
    provider_type = registry.get(slug)
    regions = [region.slug for region in provider_type.regions()]
    if asked and asked not in regions:
        known = f"one of {', '.join(regions)}" if regions else "left out: this type has no regions"
        raise bad_input(f"--region must be {known}.")
    return asked or registry.default_region(provider_type)

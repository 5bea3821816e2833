"""manage.py replace_provider_key"""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from core.commands import ProductCommand, bad_input, failure
from core.secrets import read_api_key
from providers import registry
from providers.lookups import provider_named
from providers.services.connecting import AlreadyConnectedError
from providers.services.managing import OtherWorkspaceError, UnconfirmedWorkspaceError, replace_key
from providers.services.queueing import enqueue_quietly


class Command(ProductCommand):
    help = (
        "Replace a provider's API key: try the new one, store it encrypted, and leave a sync queued. "
        "When the new key does not work, the stored one stays and keeps syncing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the provider's name")
        parser.add_argument(
            "--api-key-stdin",
            required=True,
            action="store_true",
            help="read the API key from standard input, so that it stands in no process list and no shell history",
        )
        parser.add_argument(
            "--same-workspace",
            action="store_true",
            help="say that the key belongs to the same workspace, where nothing shows it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        provider = provider_named(options["name"])
        try:
            run = replace_key(
                provider=provider,
                api_key=read_api_key(sys.stdin.read(10_000)),
                now=timezone.now(),
                confirmed_same_workspace=options["same_workspace"],
            )
        except UnconfirmedWorkspaceError as error:
            raise bad_input(f"{error} Say so with --same-workspace.") from None
        except UnicodeDecodeError:
            raise bad_input("This is not an API key: it has bytes that are no text.") from None
        except (ValueError, AlreadyConnectedError, OtherWorkspaceError) as error:
            raise bad_input(str(error)) from None
        except registry.KeyRefusedError as error:
            raise failure(str(error)) from None
        # In the embedded default the queue lives in the server's process, whose sweep finds the run within a minute.
        if not settings.EMBEDDED:
            enqueue_quietly(run=run, now=timezone.now())
        self.stdout.write(f"The key of {provider.name} was replaced; a sync is queued.")

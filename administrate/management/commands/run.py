"""manage.py run"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from administrate import __version__
from administrate.demo import arrange_examples
from administrate.first_admin import WeakPasswordError, create_first_admin
from administrate.standalone import (
    HOST,
    AlreadyRunningError,
    remember_stop_signals,
    sole_use_of_home,
    web_server,
    work_until_stopped,
)
from core.commands import ProductCommand, bad_input, failure
from providers import registry
from providers.models import Provider, SyncRun
from providers.services.connecting import AlreadyConnectedError, connect_provider
from providers.services.queueing import enqueue_lost_runs
from providers.signals import sync_ended
from syncing.claims import release_claims_of_dead_processes

SIMULATED_NAME = "Simulated workspace"


class Command(ProductCommand):
    skips_checks = False
    help = (
        "Run everything in this one process until Ctrl-C: web, worker and beat. Prepares the database and, while there "
        "is no user, the first admin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo",
            nargs="?",
            const="examples",
            choices=("examples", "empty"),
            help="connect the simulated workspace if it isn't yet, and set up example companies (empty: none)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["demo"] and not settings.EMBEDDED:
            raise bad_input("--demo needs the embedded default: unset DATABASE_URL and REDIS_URL.")
        remember_stop_signals()
        with suppress(SystemExit), ExitStack() as stack:  # SystemExit: how the worker ends
            try:
                if settings.EMBEDDED:
                    stack.enter_context(sole_use_of_home())
                serve = stack.enter_context(web_server())
                self._greet()
            except (AlreadyRunningError, WeakPasswordError) as error:
                raise bad_input(str(error)) from None
            serve()
            if options["demo"]:
                _connect_simulated_workspace(with_examples=options["demo"] == "examples")
            if settings.EMBEDDED:
                release_claims_of_dead_processes()
                # The queue of the last process went with it; what it held is still in the table.
                enqueue_lost_runs(now=timezone.now(), patience=timedelta(0))
            work_until_stopped()
        self.stdout.write("Stopped.")

    def _greet(self) -> None:
        admin = create_first_admin()
        lines = [f"Administrate {__version__} is ready: http://{HOST}:{settings.PORT}/"]
        if admin:
            lines.append(f"  Username: {admin.username}")
            lines.append(
                f"  Password: {admin.generated_password} (shown only this once)"
                if admin.generated_password
                else "  Password: as given in ADMIN_PASSWORD"
            )
        if settings.EMBEDDED:
            lines.append(f"  Data:     {settings.DATA_DIR}")
        lines.append("  Ctrl-C stops it.")
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def _connect_simulated_workspace(*, with_examples: bool) -> None:
    """One provider with the simulated data, and examples once it is synced; nothing where it stands already."""
    simulated = next((type_ for type_ in registry.all_types() if type_.simulated_key is not None), None)
    if simulated is None or simulated.simulated_key is None or Provider.objects.filter(region="simulated").exists():
        return
    if with_examples:
        sync_ended.connect(_arrange_examples, dispatch_uid="demo")
    try:
        connect_provider(
            type=simulated.slug,
            name=SIMULATED_NAME,
            region="simulated",
            api_key=simulated.simulated_key,
            now=timezone.now(),
        )
    except (registry.KeyRefusedError, AlreadyConnectedError) as error:
        raise failure(str(error)) from None


def _arrange_examples(run: SyncRun, **_signal: object) -> None:
    """After the initial sync, and apart from it."""
    if run.outcome == SyncRun.Outcome.SUCCEEDED:
        sync_ended.disconnect(dispatch_uid="demo")
        transaction.on_commit(lambda: arrange_examples(now=timezone.now()), robust=True)

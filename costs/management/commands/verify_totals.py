"""manage.py verify_totals"""

from typing import Any

from django.core.management.base import CommandParser

from core.commands import ProductCommand, failure
from core.wording import count
from costs.usage.verifying import Difference, verify, verify_all_totals
from providers.lookups import provider_named
from providers.models import Provider


class Command(ProductCommand):
    help = (
        "Compare every stored sum, and who pays for each row, with what it derives from; what differs is said and "
        "repaired. Nothing should: exit code 1 where anything did. Each provider's syncs wait while it is compared."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--provider", metavar="NAME", help="only this one")

    def handle(self, *args: Any, **options: Any) -> None:
        named = options["provider"]
        providers = list(Provider.objects.all()) if named is None else [provider_named(named)]
        differing = 0
        for provider in providers:
            found = verify(provider)
            differing += bool(found)
            text = "; ".join(map(_sentence, found)) or "nothing differs"
            self.stdout.write(f"{provider.name}: {text}.")
        if named is None:
            found = verify_all_totals()
            self.stdout.write(f"All providers together: {'; '.join(map(_sentence, found)) or 'nothing differs'}.")
        if differing:
            raise failure(
                f"{count(differing, 'provider')} of {len(providers)} had sums that differed. All are repaired."
            )
        if named is None and found:
            raise failure("What is added up over all providers differed. It is repaired.")


def _sentence(difference: Difference) -> str:
    rows = count(difference.rows, "row") + f" of {difference.what}"
    if difference.first == difference.last:
        return f"{rows} differed, on {difference.first.isoformat()}"
    return f"{rows} differed, from {difference.first.isoformat()} to {difference.last.isoformat()}"

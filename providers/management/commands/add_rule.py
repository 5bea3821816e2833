"""manage.py add_rule"""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.db import transaction

from core.commands import ProductCommand, bad_input, invalid
from providers.lookups import provider_named
from providers.models import AssignmentRule
from providers.services.companies import get_or_create_company
from providers.services.rules import save_rule

Kind = AssignmentRule.Kind

OPTIONS = {
    "starts_with": (Kind.STARTS_WITH, "keys and agents whose name starts with TEXT"),
    "contains": (Kind.CONTAINS, "keys and agents whose name contains TEXT"),
    "matches": (Kind.MATCHES, "keys and agents whose whole name fits TEXT, with * and ? as wildcards"),
    "tag": (Kind.TAGGED, "agents that have the tag TEXT"),
}


class Command(ProductCommand):
    help = (
        "Add a rule by which new API keys and agents belong to a company, which is made if it is missing. "
        "It is the last in order; keys that there are stay as they are until the rules are applied on the page."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        for name, (_kind, help_text) in OPTIONS.items():
            which.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar="TEXT", help=help_text)
        parser.add_argument("--company", required=True, metavar="NAME")
        parser.add_argument("--provider", metavar="NAME", help="of this provider alone; without it, of every one")

    def handle(self, *args: Any, **options: Any) -> None:
        kind, text = next((kind, options[name]) for name, (kind, _help) in OPTIONS.items() if options[name] is not None)
        provider = provider_named(options["provider"]) if options["provider"] else None
        if not text.strip():
            raise bad_input("The text of a rule must not be empty.")
        try:
            with transaction.atomic():
                company, _is_new = get_or_create_company(name=options["company"])
                rule = AssignmentRule(kind=kind, pattern=text.strip(), company=company, provider=provider)
                rule.full_clean(exclude=["position"])
                save_rule(rule=rule)
        except ValidationError as error:
            raise invalid(error) from None
        self.stdout.write(f"{rule}.")

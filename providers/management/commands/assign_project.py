"""manage.py assign_project"""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from core.commands import ProductCommand, bad_input, invalid, utc_day
from core.days import EARLIEST_DAY
from providers.lookups import provider_named
from providers.models import Project, Provider
from providers.services.assigning import assign_projects
from providers.services.companies import get_or_create_company


class Command(ProductCommand):
    help = (
        "Assign an API key or an agent (a project) to a company, which is made if it is missing. "
        "Without --from all history moves; with it, days before DATE stay where they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--provider", required=True, metavar="NAME")
        parser.add_argument(
            "--project",
            required=True,
            metavar="EXTERNAL_ID_OR_NAME",
            help="the external id of the key or agent, or its name",
        )
        parser.add_argument("--company", required=True, metavar="NAME")
        parser.add_argument("--from", dest="starts_on", type=utc_day, metavar="DATE", help="first UTC day (YYYY-MM-DD)")

    def handle(self, *args: Any, **options: Any) -> None:
        starts_on = options["starts_on"]
        if starts_on and starts_on < EARLIEST_DAY:
            raise bad_input(f"--from must not be before {EARLIEST_DAY.isoformat()}.")
        project = _project(provider_named(options["provider"]), options["project"])
        try:
            with transaction.atomic():
                company, is_new = get_or_create_company(name=options["company"])
                change = assign_projects(
                    projects=[project],
                    company=company,
                    starts_on=starts_on,
                    now=timezone.now(),
                    created_company=is_new,
                )
        except ValidationError as error:
            raise invalid(error) from None
        self.stdout.write(change.summary)


def _project(provider: Provider, wanted: str) -> Project:
    """By external id, else by the name it is shown under, else by the reported one; raises Error."""
    projects = list(Project.objects.for_provider(provider))
    for matches in (
        [project for project in projects if project.external_id == wanted],
        [project for project in projects if project.display_name == wanted],
        [project for project in projects if project.name == wanted],
    ):
        if len(matches) > 1:
            raise bad_input(f"{len(matches)} keys are named “{wanted}”. Give the external id instead.")
        if matches:
            return matches[0]
    raise bad_input(f"{provider.name} has no API key “{wanted}”. They are known after the first sync.")

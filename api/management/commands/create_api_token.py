"""manage.py create_api_token"""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.names import find_person
from api.models import Scope
from api.services import DAYS, create_token
from core.commands import ProductCommand, bad_input, invalid
from providers.models import Company


class Command(ProductCommand):
    help = (
        "Make an API token for a person and print it, this once. It opens what its scopes say of what the person may "
        "see and do at the time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="what the token is for, e.g. Grafana")
        parser.add_argument("--user", required=True, metavar="USERNAME", help="whose token it is")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            choices=Scope.values,
            help="what it is for; may be given several times",
        )
        parser.add_argument("--company", metavar="NAME", help="only what concerns this company")
        parser.add_argument("--days", type=int, default=DAYS, help=f"how long it lasts (default: {DAYS})")

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_person(options["user"])
        if user is None or not user.is_active:
            raise bad_input(f"Nobody who may sign in is called “{options['user']}”.")
        company = None
        if options["company"] is not None:
            company = Company.objects.named(options["company"]).first()
            if company is None:
                raise bad_input(f"There is no company named “{options['company']}”.")
        try:
            token, text = create_token(
                user=user,
                name=options["name"],
                scopes=options["scope"],
                company=company,
                days=options["days"],
                now=timezone.now(),
            )
        except ValidationError as error:
            raise invalid(error) from None
        self.stderr.write(f"Valid until {token.expires_at:%Y-%m-%d}; it is not shown again.")
        self.stdout.write(text)

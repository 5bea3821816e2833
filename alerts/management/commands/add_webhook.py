"""manage.py add_webhook"""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from alerts.models import Endpoint, Severity
from alerts.services.endpoints import add_endpoint
from core.commands import ProductCommand, bad_input


class Command(ProductCommand):
    help = (
        "Post every alert to URL, signed as Standard Webhooks says, and print the secret (whsec_…) for checking the "
        "signatures, this once. Private addresses need ALLOW_PRIVATE_WEBHOOKS=true in the environment."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", metavar="URL")
        parser.add_argument(
            "--slack", action="store_true", help="URL is an incoming webhook of Slack, without a secret"
        )
        parser.add_argument(
            "--minimum",
            choices=[severity.name.lower() for severity in Severity],
            default=Severity.INFO.name.lower(),
            help="leave out what is less severe (default: info)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kind = Endpoint.Kind.SLACK if options["slack"] else Endpoint.Kind.WEBHOOK
        try:
            _endpoint, secret = add_endpoint(
                url=options["url"], kind=kind, minimum=Severity[options["minimum"].upper()]
            )
        except ValidationError as error:
            raise bad_input(" ".join(error.messages)) from None
        if secret:
            self.stderr.write("The secret is not shown again.")
            self.stdout.write(secret)
        else:
            self.stdout.write("Added.")

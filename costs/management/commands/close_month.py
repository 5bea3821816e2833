"""manage.py close_month"""

import argparse
from datetime import date
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from costs.closing import NotClosableError, close_month, unpriced_warnings
from costs.months import name_of, parse_month
from costs.statements import frozen_sheets
from providers.commands import ProductCommand, failure
from providers.wording import count


class Command(ProductCommand):
    help = (
        "Close a month: freeze the statement of every company. The month must be settled, and months are closed in "
        "order. This can't be undone; what changes later is carried by the next statement."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", type=_month, required=True, metavar="YYYY-MM")

    def handle(self, *args: Any, **options: Any) -> None:
        month: date = options["month"]
        try:
            closed = close_month(month=month, now=timezone.now())
        except NotClosableError as refused:
            raise failure(str(refused)) from None
        sheets = frozen_sheets([closed])
        for warning in unpriced_warnings(sheets):
            self.stderr.write(warning)
        self.stdout.write(f"{name_of(month)} is closed: {count(len(sheets), 'statement')}.")


def _month(text: str) -> date:
    try:
        return parse_month(text)
    except ValueError as refusal:
        raise argparse.ArgumentTypeError(str(refusal)) from None

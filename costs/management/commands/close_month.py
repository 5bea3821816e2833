"""manage.py close_month"""

import argparse
from datetime import date
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from core.commands import ProductCommand, failure
from core.months import days_of, name_of, parse_month
from core.wording import count
from costs.pages.closing_words import left_behind_warnings, sentences, unassigned_warnings, unpriced_warnings
from costs.reports.totals import all_usage, totals
from costs.statements.closing import NotClosableError, close_month, left_behind_by, month_statuses
from costs.statements.contents import frozen_sheets
from providers.models import Provider


class Command(ProductCommand):
    help = (
        "Close a month: freeze the statement of every company. The month must be settled, and months are closed in "
        "order. This can't be undone; what changes later is carried by the next statement."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", type=_month, required=True, metavar="YYYY-MM")

    def handle(self, *args: Any, **options: Any) -> None:
        month: date = options["month"]
        days = days_of(month)
        now = timezone.now()
        providers = list(Provider.objects.all())
        (status,) = month_statuses([month], providers=providers, now=now)
        left_behind = left_behind_warnings(left_behind_by(status, providers), month)
        try:
            closed = close_month(month=month, now=now)
        except NotClosableError as refused:
            raise failure(" ".join(sentences(refused.reasons))) from None
        sheets = frozen_sheets([closed])
        unassigned = totals(all_usage().between(days.first, days.last).filter(company=None))
        for warning in (*left_behind, *unassigned_warnings(unassigned), *unpriced_warnings(sheets, providers)):
            self.stderr.write(warning)
        self.stdout.write(f"{name_of(month)} is closed: {count(len(sheets), 'statement')}.")


def _month(text: str) -> date:
    try:
        return parse_month(text)
    except ValueError as refusal:
        raise argparse.ArgumentTypeError(str(refusal)) from None

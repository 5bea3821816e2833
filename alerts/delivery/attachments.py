"""The files that go with a mail: a company's statement, as its client receives it.

Made when the mail is sent: those of a closed month are the same bytes for ever, a draft's are of that moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from alerts.models import Alert
from costs.pages.statement_files import File, client_files

# Kinds of alerts that bring a statement, whose ``facts`` hold its month.
WITH_STATEMENT = frozenset({"statement.closed", "statement.draft"})


def attachments_of(alert: Alert, *, today: date) -> Sequence[File]:
    if alert.kind not in WITH_STATEMENT or alert.company is None:
        return ()
    return client_files(alert.company, date.fromisoformat(alert.facts["month"]), today=today)

"""Usage, its attribution to companies, the days that have been read, and statements.

``usage`` is what was read (written only by costs.usage.writing); ``attribution`` is derived from it and from the
assignments (written only by costs.usage.attribution); ``sums`` add it up (written only by costs.usage.sums);
``conversations`` is evidence for sharing usage; ``agency`` is the letterhead that statements have; ``statements`` is
what was billed, frozen (written only by costs.statements.closing).
"""

from costs.models.agency import Letterhead, Logo
from costs.models.attribution import (
    COUNTED,
    AttributedUsage,
    AttributedUsageQuerySet,
    UsagePart,
)
from costs.models.conversations import CONVERSATIONS_SETTLE_AFTER, ConversationDay
from costs.models.statements import ClosedMonth, Statement, StatementLine, StatementLineQuerySet, marked_up
from costs.models.sums import SUMS, CompanySum, KeySum, ModelSum, Span, UsageSum, UsageSumQuerySet, series_of
from costs.models.usage import (
    FIGURES,
    SETTLES_AFTER,
    USED,
    DailyUsage,
    DailyUsageQuerySet,
    ListedUsage,
    ReadDay,
    Restatement,
    SettledDays,
    end_of,
)

__all__ = [
    "CONVERSATIONS_SETTLE_AFTER",
    "COUNTED",
    "FIGURES",
    "SETTLES_AFTER",
    "SUMS",
    "USED",
    "AttributedUsage",
    "AttributedUsageQuerySet",
    "ClosedMonth",
    "CompanySum",
    "ConversationDay",
    "DailyUsage",
    "DailyUsageQuerySet",
    "KeySum",
    "Letterhead",
    "ListedUsage",
    "Logo",
    "ModelSum",
    "ReadDay",
    "Restatement",
    "SettledDays",
    "Span",
    "Statement",
    "StatementLine",
    "StatementLineQuerySet",
    "UsagePart",
    "UsageSum",
    "UsageSumQuerySet",
    "end_of",
    "marked_up",
    "series_of",
]

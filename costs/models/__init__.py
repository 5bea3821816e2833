"""Usage, its attribution to companies, the days that have been read, and statements.

``usage`` is what was read (written only by costs.usage.writing); ``attribution`` is derived from it and from the
assignments (written only by costs.usage.attribution); ``sums`` add it up (written only by costs.usage.sums and
``totals`` there);
``conversations`` is evidence for sharing usage; ``agency`` is the letterhead that statements have; ``statements`` is
what was billed, frozen (written only by costs.statements.closing).
"""

from costs.models.agency import Letterhead, Logo
from costs.models.attribution import (
    COUNTED,
    COUNTS,
    AttributedUsage,
    AttributedUsageQuerySet,
    UsagePart,
)
from costs.models.conversations import CONVERSATIONS_SETTLE_AFTER, ConversationDay
from costs.models.statements import ClosedMonth, Statement, StatementLine, StatementLineQuerySet, marked_up, price_of
from costs.models.sums import (
    SUMS,
    TOTALS,
    ChangedSpan,
    CompanyModelTotal,
    CompanySum,
    CompanyTotal,
    KeySum,
    ModelSum,
    ModelTotal,
    ProviderTotal,
    Span,
    SpanSum,
    SpanSumQuerySet,
    Total,
    UsageSum,
    series_of,
)
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
    is_unknown,
    is_used,
)

__all__ = [
    "CONVERSATIONS_SETTLE_AFTER",
    "COUNTED",
    "COUNTS",
    "FIGURES",
    "SETTLES_AFTER",
    "SUMS",
    "TOTALS",
    "USED",
    "AttributedUsage",
    "AttributedUsageQuerySet",
    "ChangedSpan",
    "ClosedMonth",
    "CompanyModelTotal",
    "CompanySum",
    "CompanyTotal",
    "ConversationDay",
    "DailyUsage",
    "DailyUsageQuerySet",
    "KeySum",
    "Letterhead",
    "ListedUsage",
    "Logo",
    "ModelSum",
    "ModelTotal",
    "ProviderTotal",
    "ReadDay",
    "Restatement",
    "SettledDays",
    "Span",
    "SpanSum",
    "SpanSumQuerySet",
    "Statement",
    "StatementLine",
    "StatementLineQuerySet",
    "Total",
    "UsagePart",
    "UsageSum",
    "end_of",
    "is_unknown",
    "is_used",
    "marked_up",
    "price_of",
    "series_of",
]

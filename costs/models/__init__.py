"""What was used, whose it is, and which days have been read.

``usage`` is what was read (written only by costs.writing); ``attribution`` is derived from it and from the assignments
(written only by costs.attribution).
"""

from costs.models.attribution import AttributedUsage, AttributedUsageQuerySet, DailyTotal, DailyTotalQuerySet
from costs.models.usage import (
    SETTLES_AFTER,
    DailyUsage,
    DailyUsageQuerySet,
    ReadDay,
    Restatement,
    end_of,
)

__all__ = [
    "SETTLES_AFTER",
    "AttributedUsage",
    "AttributedUsageQuerySet",
    "DailyTotal",
    "DailyTotalQuerySet",
    "DailyUsage",
    "DailyUsageQuerySet",
    "ReadDay",
    "Restatement",
    "end_of",
]

"""What is stored about providers, projects, companies and sync runs."""

from core.days import EARLIEST_DAY
from providers.models.assignment import (
    UNASSIGNED,
    Assignment,
    AssignmentChange,
    AssignmentRule,
    AssignmentShare,
    describe_shares,
    periods_of,
)
from providers.models.company import Company
from providers.models.periods import BEGINNING, NO_PERIODS, Payers, Period, Periods
from providers.models.provider import Project, Provider
from providers.models.sync_run import SyncRun

__all__ = [
    "BEGINNING",
    "EARLIEST_DAY",
    "NO_PERIODS",
    "UNASSIGNED",
    "Assignment",
    "AssignmentChange",
    "AssignmentRule",
    "AssignmentShare",
    "Company",
    "Payers",
    "Period",
    "Periods",
    "Project",
    "Provider",
    "SyncRun",
    "describe_shares",
    "periods_of",
]

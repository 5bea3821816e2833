"""What is stored about providers, projects, companies and sync runs."""

from providers.models.assignment import (
    BEGINNING,
    UNASSIGNED,
    Assignment,
    AssignmentChange,
    AssignmentRule,
    AssignmentShare,
    describe_shares,
)
from providers.models.company import Company
from providers.models.provider import EARLIEST_DAY, Project, Provider
from providers.models.sync_run import SyncRun

__all__ = [
    "BEGINNING",
    "EARLIEST_DAY",
    "UNASSIGNED",
    "Assignment",
    "AssignmentChange",
    "AssignmentRule",
    "AssignmentShare",
    "Company",
    "Project",
    "Provider",
    "SyncRun",
    "describe_shares",
]

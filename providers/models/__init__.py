"""What is stored about providers, projects, companies and sync runs."""

from providers.models.company import (
    BEGINNING,
    Assignment,
    AssignmentChange,
    AssignmentShare,
    Company,
)
from providers.models.provider import EARLIEST_DAY, Project, Provider
from providers.models.sync_run import SyncRun

__all__ = [
    "BEGINNING",
    "EARLIEST_DAY",
    "Assignment",
    "AssignmentChange",
    "AssignmentShare",
    "Company",
    "Project",
    "Provider",
    "SyncRun",
]

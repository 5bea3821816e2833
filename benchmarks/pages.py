"""Every page that shows money: its time, its queries, and the rows that they read.

References: the same page of a small world (12 keys, 365 days), and one naive SUM per company over the raw rows of the
page's range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from accounts.models import Membership, Role
from benchmarks.loading import World
from benchmarks.measuring import median_seconds, reads_of, recorded_statements
from benchmarks.results import Result
from benchmarks.world import Effort, today
from costs.models import DailyUsage
from providers.models import Assignment, AssignmentShare, Company, Project

# The first day of each range that ends today.
RANGES: dict[str, Callable[[date], date]] = {
    "this month": lambda day: day.replace(day=1),
    "90 days": lambda day: day - timedelta(days=89),
    "12 months": lambda day: day - timedelta(days=364),
    "36 months": lambda day: day - timedelta(days=1094),
}

_RAW = f"""
    SELECT share.company_id, used.currency, SUM(used.cost), SUM(used.credits), SUM(used.requests)
    FROM {DailyUsage._meta.db_table} AS used
    JOIN {Project._meta.db_table} AS project ON project.id = used.project_id
    LEFT JOIN {Assignment._meta.db_table} AS period ON period.project_id = used.project_id
    LEFT JOIN {AssignmentShare._meta.db_table} AS share ON share.assignment_id = period.id
    WHERE used.day BETWEEN %s AND %s AND (project.provider_id = %s OR %s IS NULL)
    GROUP BY share.company_id, used.currency
"""


@dataclass(frozen=True)
class Page:
    """A page to ask for; ``first`` is the beginning of its range, None where it has none."""

    name: str
    path: str
    first: date | None = None
    provider: int | None = None


def seconds_of_pages(world: World, effort: Effort) -> dict[str, float]:
    """Of each page's name, while this world is all that the database holds."""
    client = _client()
    found = {}
    for page in _pages(world, effort):
        _ask(client, page)
        found[page.name] = _seconds(client, page, effort)
    return found


def measure(world: World, effort: Effort, *, of_small_world: dict[str, float]) -> Iterator[Result]:
    client = _client()
    raw: dict[tuple[date, int | None], float] = {}
    for page in _pages(world, effort):
        with recorded_statements() as statements:
            _ask(client, page)
        seconds = _seconds(client, page, effort)
        reads = reads_of(statements)
        ratios = {"small": seconds / of_small_world[page.name]}
        if page.first:
            asked = (page.first, page.provider)
            raw[asked] = raw.get(asked) or seconds_of_raw_sum(page.first, today(), page.provider)
            ratios["raw SUM"] = seconds / raw[asked]
        details: dict[str, object] = {"queries": len(statements)}
        if reads is not None:
            details |= {"rows_read": reads.rows, "by_table": dict(reads.by_table), "heaviest": reads.heaviest}
        yield Result("pages", page.name, seconds * 1000, "ms", ratios, details)


def _pages(world: World, effort: Effort) -> Iterator[Page]:
    """Every page, of each range that is asked for, with and without the filter."""
    provider = world.workspaces[0].provider
    company = Company.objects.filter(shares__assignment__project__provider=provider).order_by("pk")[0]
    now = today()
    listed = {
        "dashboard by company": ("/", {}),
        "dashboard by provider": ("/", {"by": "provider"}),
        "dashboard by model": ("/", {"by": "model"}),
        "companies": ("/companies/", {}),
        "company": (company.get_absolute_url(), {}),
        "models": ("/models/", {}),
        "model": ("/models/usage/", {"model": "model-01"}),
    }
    for what in effort.ranges:
        first = RANGES[what](now)
        days = {"from": first.isoformat(), "to": now.isoformat()}
        for name, (path, query) in listed.items():
            for filtered in (None, provider.pk):
                wanted = query | days | ({} if filtered is None else {"provider": str(filtered)})
                words = f"{name}, {what}" + ("" if filtered is None else ", one provider")
                yield Page(words, f"{path}?{urlencode(wanted)}", first, filtered)
        yield Page(f"provider, {what}", f"{provider.get_absolute_url()}?{urlencode(days)}", first, provider.pk)
    last_month = now.replace(day=1) - timedelta(days=1)
    yield Page("providers", "/providers/")
    yield Page("statements", "/statements/")
    yield Page("statements of last month", f"/statements/{last_month:%Y-%m}/")
    yield Page("statements of a company", f"{company.get_absolute_url()}statements/")


def _seconds(client: Client, page: Page, effort: Effort) -> float:
    """Of a page that was asked for before: what a first look fetches from the disk is no matter here."""
    return median_seconds(lambda: client.get(page.path), for_seconds=effort.page_seconds)


def _ask(client: Client, page: Page) -> None:
    response = client.get(page.path)
    if response.status_code != 200:
        raise RuntimeError(f"{page.path} answers {response.status_code}.")


def seconds_of_raw_sum(first: date, last: date, provider: int | None) -> float:
    """Of the usage of these days, by company, without any table of sums."""
    adapt = connection.ops.adapt_datefield_value

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute(_RAW, (adapt(first), adapt(last), provider, provider))
            cursor.fetchall()

    return median_seconds(ask, for_seconds=0.3, at_most=3)


def admin() -> User:
    """The one who looks at everything."""
    user = User.objects.filter(username="bench").first()
    if user is None:
        user = User.objects.create_user(username="bench", is_staff=True, is_superuser=True)
        Membership.objects.filter(user=user).update(role=Role.ADMIN)
    return user


def _client() -> Client:
    client = Client()
    client.force_login(admin())
    return client

"""Pages and acts, as the search finds them: what the table of access lets the person open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.urls import reverse

from accounts.access import NAMESPACES, URLS, fulfils, membership_of
from core.search import MOST_OF_A_KIND, Found, fits, register_source
from providers.permissions import SEE_PROVIDERS


@dataclass(frozen=True)
class Page:
    label: str
    name: str  # of the URL
    words: str = ""  # what else people call it


PAGES = (
    Page("Dashboard", "dashboard", "home overview spend"),
    Page("Companies", "companies:list", "clients customers"),
    Page("API keys", "keys:list", "agents projects assign"),
    Page("Statements", "statements:list", "invoices billing months"),
    Page("Models", "models:list", "usage by model"),
    Page("Budgets", "budgets:list", "limits thresholds"),
    Page("LLM Providers", "providers:list", "workspaces connections"),
    Page("Rules", "rules:list", "assign new keys automatically"),
    Page("Alerts", "alerts:list", "notifications bell"),
    Page("Profile", "settings", "name theme appearance dark light compact dense rows"),
    Page("Security", "security", "password two-factor passkey sessions"),
    Page("Notifications", "notifications:own", "e-mail digest quiet hours subscriptions"),
    Page("API tokens", "tokens:list", "programs"),
    Page("API documentation", "api_docs", "rest openapi programs"),
    Page("Webhooks", "notifications:endpoints", "slack delivery"),
    Page("Members", "members:list", "people users roles invitations"),
    Page("Audit log", "audit:list", "who did what history"),
    Page("About", "about", "version workers queue health"),
)
ACTS = (
    Page("Connect a provider", "providers:add", "add workspace api key"),
    Page("Add a company", "companies:add", "new client create"),
    Page("Make companies of client names", "companies:suggested", "suggest set up names keys"),
    Page("Add a rule", "rules:add", "new create assign"),
    Page("Add a budget", "budgets:add", "new create limit"),
    Page("Make an API token", "tokens:add", "new create"),
    Page("Invite a member", "members:invite", "new add person user"),
    Page("Change the password", "account_change_password"),
    Page("Export usage as CSV", "exports:usage", "download"),
    Page("Export usage as FOCUS", "exports:focus", "download finops"),
)


def register() -> None:
    register_source("own companies", own_companies, position=10)
    register_source("pages", pages, position=50)
    register_source("acts", acts, position=60)


def own_companies(user: User, words: tuple[str, ...]) -> Iterable[Found]:
    """Of a Company viewer, who sees no others."""
    membership = membership_of(user)
    if membership is None or user.has_perm(SEE_PROVIDERS):
        return
    for company in membership.companies.order_by("name"):
        if fits(words, company.name):
            yield Found("Companies", company.name, company.get_absolute_url())


def pages(user: User, words: tuple[str, ...]) -> Iterable[Found]:
    yield from _fitting("Pages", PAGES, user, words)
    if fits(words, "Django admin database") and fulfils(user, NAMESPACES["admin"], {}):
        yield Found("Pages", "Django admin", reverse("admin:index"))


def acts(user: User, words: tuple[str, ...]) -> Iterable[Found]:
    yield from _fitting("Actions", ACTS, user, words)


def _fitting(kind: str, known: Iterable[Page], user: User, words: tuple[str, ...]) -> Iterable[Found]:
    fitting = [page for page in known if fits(words, page.label, page.words) and fulfils(user, URLS[page.name], {})]
    # What is called so comes before what is only described so.
    fitting.sort(key=lambda page: not fits(words, page.label))
    for page in fitting[: MOST_OF_A_KIND if words else len(fitting)]:
        yield Found(kind, page.label, reverse(page.name))

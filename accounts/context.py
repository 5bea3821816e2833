"""The navigation of every page, with what the reader may open; by the same table that opens it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest

from accounts.access import NAMESPACES, URLS, fulfils
from accounts.requiring import ENROLMENT_ATTRIBUTE
from accounts.saved_views import views_of
from core.days import parse_day
from providers.permissions import SEE_PROVIDERS

# Label, URL name, and the beginnings of the paths for which it is the current one; "/" is only itself.
PAGES = (
    ("Dashboard", "dashboard", ("/", "/models/")),
    ("Companies", "companies:list", ("/companies/", "/budgets/")),
    ("API keys", "keys:list", ("/keys/", "/rules/", "/assignments/")),
    ("Statements", "statements:list", ("/statements/",)),
    ("LLM Providers", "providers:list", ("/providers/",)),
)
SETTINGS = (
    ("Profile", "settings"),
    ("Security", "security"),
    ("Saved views", "views:list"),
    ("Notifications", "notifications:own"),
    ("API tokens", "tokens:list"),
    ("Webhooks", "notifications:endpoints"),
    ("Members", "members:list"),
    ("Agency", "agency:edit"),
    ("Audit log", "audit:list"),
    ("About", "about"),
)


# Their figures are of the days that the address names.
WITH_FIGURES = frozenset({"dashboard", "companies:list", "keys:list"})


def navigation(request: HttpRequest) -> dict[str, object]:
    user = request.user
    # A Company viewer's own pages are under /companies/ as well.
    pages = PAGES if user.has_perm(SEE_PROVIDERS) else (("Your companies", "your_companies", ("/companies/",)),)
    nav = [*pages, ("Settings", "settings", ("/settings/", "/accounts/"))]
    own = [(label, name) for label, name in SETTINGS if fulfils(user, URLS[name], {})]
    if fulfils(user, NAMESPACES["admin"], {}):
        own.append(("Django admin", "admin:index"))
    return {
        "nav": [(label, name, _is_below(request.path, beginnings)) for label, name, beginnings in nav],
        # What links to pages with figures add, and which of the above these are.
        "kept_range": _kept_range(request),
        "keeping_range": WITH_FIGURES,
        "settings_nav": own,
        "pinned_views": [view for view in views_of(user) if view.pinned],
        "enrolment": getattr(request, ENROLMENT_ATTRIBUTE, None),
        "sso_name": settings.OIDC_NAME if settings.OIDC_ENABLED else "",
    }


def _kept_range(request: HttpRequest) -> str:
    """The days of the present address, for links to other pages with figures; they stand nowhere else."""
    days = {}
    for name in ("from", "to"):
        try:
            days[name] = parse_day(request.GET.get(name, "")).isoformat()
        except ValueError:
            continue
    return f"?{urlencode(days)}" if days else ""


def _is_below(path: str, beginnings: tuple[str, ...]) -> bool:
    return any(path == beginning or (beginning != "/" and path.startswith(beginning)) for beginning in beginnings)

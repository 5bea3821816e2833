"""The navigation of every page, with what the reader may open; by the same table that opens it."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from accounts.access import NAMESPACES, SEE, URLS, fulfils

# Label, URL name, and the path under which it is the current one.
PAGES = (
    ("Dashboard", "dashboard", "/"),
    ("Companies", "companies:list", "/companies/"),
    ("LLM Providers", "providers:list", "/providers/"),
)
SETTINGS = (
    ("Profile", "settings"),
    ("Security", "security"),
    ("Members", "members:list"),
    ("About", "about"),
)


def navigation(request: HttpRequest) -> dict[str, object]:
    user = request.user
    # A Company viewer's own pages are under /companies/ as well.
    pages = PAGES if user.has_perm(SEE) else (("Your companies", "your_companies", "/companies/"),)
    nav = [*pages, ("Settings", "settings", "/settings/")]
    if fulfils(user, NAMESPACES["admin"], {}):
        nav.append(("Admin", "admin:index", "/admin/"))
    return {
        "nav": nav,
        "settings_nav": [(label, name) for label, name in SETTINGS if fulfils(user, URLS[name], {})],
        "sso_name": settings.OIDC_NAME if settings.OIDC_ENABLED else "",
    }

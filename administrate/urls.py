"""Every URL of the product, on one page.

Everything asks for a sign-in (LoginRequiredMiddleware) but what says otherwise itself. A namespace joins the pages and
the actions of one subject, whichever app they live in.
"""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from accounts import urls as people
from administrate import about, health, metrics, views
from alerts.urls import alert_urls
from api.urls import api_urls
from costs import urls as pages
from providers import urls as actions

# The admin has no sign-in of its own: one door, one throttle.
admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler400 = "administrate.views.bad_request"
handler403 = "administrate.views.permission_denied"
handler404 = "administrate.views.not_found"
handler429 = "administrate.views.too_many_requests"  # allauth's throttles
handler500 = "administrate.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    *api_urls,  # first, since programs ask the most
    pages.dashboard_page,
    path("", include(([*pages.provider_pages, *actions.provider_actions], "providers"))),
    path("", include((pages.model_pages, "models"))),
    path("", include((pages.export_pages, "exports"))),
    path("", include(([*pages.key_pages, *actions.key_actions], "keys"))),
    path("", include(([*pages.company_pages, *actions.company_actions], "companies"))),
    path("", include((pages.statement_pages, "statements"))),
    path("", include((pages.agency_pages, "agency"))),
    path("", include(([*pages.rule_pages, *actions.rule_pages], "rules"))),
    *people.signing_in,
    *people.settings_pages,
    *alert_urls,
    path("settings/about/", about.about, name="about"),
    path("settings/theme/", views.set_theme, name="theme"),
    # One way to change a password, with one throttle.
    path(
        "admin/password_change/",
        RedirectView.as_view(pattern_name="account_change_password"),
        name="admin_change_password",
    ),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]

"""Every URL of the product, on one page.

Everything asks for a sign-in (LoginRequiredMiddleware) but what says otherwise itself. A namespace joins the pages and
the actions of one subject, whichever app they live in.
"""

from allauth.account import views as account
from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from administrate import health, views
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
    pages.dashboard_page,
    path("", include(([*pages.provider_pages, *actions.provider_actions], "providers"))),
    path("", include(([*pages.company_pages, *actions.company_actions], "companies"))),
    path("settings/", views.settings_page, name="settings"),
    path("settings/theme/", views.set_theme, name="theme"),
    # Of allauth only what works without e-mail and without public sign-up.
    path("accounts/login/", views.unprocessable_when_refused(account.login), name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
    path(
        "accounts/password/change/",
        views.unprocessable_when_refused(account.password_change),
        name="account_change_password",
    ),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

"""Signing in, the pages of Settings that are about people, and an invitation's link.

Of allauth only what works without e-mail and without public sign-up, under addresses of our own. Where allauth leads to
one of its overview pages, Settings → Security has the name of it.
"""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.urls import URLPattern, URLResolver, include, path

from accounts.audit.urls import audit_pages
from accounts.single_sign_on import PROVIDER_ID
from accounts.views import finding, joining, members, profile, security, sso
from accounts.views.responses import unprocessable_when_refused as answering_422

signing_in: list[URLPattern | URLResolver] = [
    path("accounts/login/", answering_422(account.login), name="account_login"),
    path("accounts/login/passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
    path("accounts/second-step/", answering_422(second_factor.authenticate), name="mfa_authenticate"),
    path("accounts/confirm/", answering_422(account.reauthenticate), name="account_reauthenticate"),
    path("accounts/confirm/code/", answering_422(second_factor.reauthenticate), name="mfa_reauthenticate"),
    path("accounts/confirm/passkey/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("accounts/password/change/", answering_422(security.change_password), name="account_change_password"),
    path("accounts/invitations/<str:token>/", joining.join, name="accept_invitation"),
    path("accounts/new-password/<str:token>/", joining.choose_password, name="choose_password"),
    path("accounts/sso/login/", sso.begin, {"provider_id": PROVIDER_ID}, name="openid_connect_login"),
    # The address that is registered with the identity provider.
    path("accounts/sso/callback/", sso.come_back, {"provider_id": PROVIDER_ID}, name="openid_connect_callback"),
]

settings_pages: list[URLPattern | URLResolver] = [
    path("settings/", profile.edit_profile, name="settings"),
    path("settings/security/", security.overview, name="security"),
    path("settings/security/", security.overview, name="mfa_index"),
    path("settings/security/", security.overview, name="mfa_list_webauthn"),
    path("settings/security/sessions/end/", security.end_other_sessions, name="end_other_sessions"),
    path("settings/security/authenticator-app/add/", answering_422(totp.activate_totp), name="mfa_activate_totp"),
    path("settings/security/authenticator-app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("settings/security/recovery-codes/", security.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "settings/security/recovery-codes/new/",
        answering_422(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "settings/security/recovery-codes/download/",
        security.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    path("settings/security/passkeys/add/", answering_422(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path(
        "settings/security/passkeys/<int:pk>/rename/", answering_422(passkeys.edit_webauthn), name="mfa_edit_webauthn"
    ),
    path("settings/security/passkeys/<int:pk>/remove/", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
    path(
        "settings/members/",
        include(
            (
                [
                    path("", members.member_list, name="list"),
                    path("invite/", members.invite_member, name="invite"),
                    path("invitations/<int:pk>/withdraw/", members.withdraw, name="withdraw"),
                    path("<int:pk>/", members.edit_member, name="edit"),
                    path("<int:pk>/deactivate/", members.deactivate, name="deactivate"),
                    path("<int:pk>/reactivate/", members.reactivate, name="reactivate"),
                    path("<int:pk>/reset-two-factor/", members.reset_second_factor, name="reset_two_factor"),
                    path("<int:pk>/password-link/", members.password_link, name="password_link"),
                    path("<int:pk>/unlink/", members.unlink, name="unlink"),
                    path("<int:pk>/remove/", members.remove, name="remove"),
                ],
                "members",
            )
        ),
    ),
    path(
        "settings/views/",
        include(
            (
                [path("", finding.saved_views, name="list"), path("change/", finding.change_view, name="change")],
                "views",
            )
        ),
    ),
    path("search/", finding.search, name="search"),
    path("", include((audit_pages, "audit"))),
    path("your-companies/", profile.your_companies, name="your_companies"),
]

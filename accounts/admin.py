"""Users in the Django admin: looking, and a new password for who forgot theirs. Everything else is Settings → Members.

What django-allauth would show there – second factors, sessions, sign-in services with their secrets – is not shown.
"""

from __future__ import annotations

import allauth.account.admin
import allauth.mfa.admin
import allauth.socialaccount.admin  # noqa: F401 - registers, and must have done so before this module takes it back
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse

from accounts.services.members import end_sessions
from core.admin_lists import OfferedOnly
from core.audit import audit_event

admin.site.unregister([EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken, Group, User])


@admin.register(User)
class MemberAdmin(OfferedOnly, UserAdmin):
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("role", "is_active", "last_login", "date_joined")}),
    )
    readonly_fields = ("username", "email", "role", "is_active", "last_login", "date_joined")
    list_display = ("username", "email", "first_name", "last_name", "role", "is_active")
    list_filter = ("membership__role", "is_active")
    list_select_related = ("membership",)

    @admin.display(description="Role")
    def role(self, user: User) -> str:
        return user.membership.get_role_display()

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """People are invited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:  # noqa: ARG002
        """Settings → Members removes them, and keeps the last Admin."""
        return False

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Django's own, which would end no session of ours and send no audit event."""
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            user = User.objects.get(pk=id)
            end_sessions(user=user, but=request.session.session_key)
            audit_event("password.changed", user)
        return response

"""Where Django asks who somebody is and what they may do: allauth's sign-in, and permissions by role."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts.access import PERMISSIONS, membership_of
from accounts.models import Role


class RoleBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth ships no types
    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """Knows nobody by a name that only the database takes for theirs.

        To some "admın" is "ADMIN". To the throttle, which counts by name, it would be somebody else.
        """
        user: User | None = super().authenticate(request, **credentials)
        typed = credentials.get("username")
        return None if user is not None and typed and typed.lower() != user.get_username().lower() else user

    def get_user(self, user_id: int) -> User | None:
        """The active user with its membership, which every request needs, in one query."""
        user = User.objects.select_related("membership").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None

    def get_all_permissions(self, user_obj: Any, obj: object = None) -> set[str]:  # noqa: ARG002 - Django's signature
        membership = membership_of(user_obj)
        if membership is None or not user_obj.is_active:
            return set()
        return set(PERMISSIONS[Role(membership.role)])

    def get_user_permissions(self, user_obj: Any, obj: object = None) -> set[str]:
        return self.get_all_permissions(user_obj, obj)

    def get_group_permissions(self, user_obj: Any, obj: object = None) -> set[str]:  # noqa: ARG002
        """None: a role is all that counts."""
        return set()

    def has_perm(self, user_obj: Any, perm: str, obj: object = None) -> bool:
        return perm in self.get_all_permissions(user_obj, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(permission.startswith(f"{app_label}.") for permission in self.get_all_permissions(user_obj))

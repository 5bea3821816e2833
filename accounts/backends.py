"""Authentication backends: allauth's sign-in, and permissions by role."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import User

from accounts.access import PERMISSIONS, membership_of
from accounts.models import Role
from accounts.names import find_person


class RoleBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth ships no types
    def get_user(self, user_id: int) -> User | None:
        """The active user with its membership, which every request needs, in one query."""
        user = User.objects.select_related("membership").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None

    def _authenticate_by_username(self, username: str, password: str) -> User | None:
        """Where django-allauth looks a name up, which finds no user when two names differ in capitals alone."""
        user: User | None = self._check_password(find_person(username), password)
        return user

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

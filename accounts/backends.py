"""Authentication backends: allauth's sign-in, and permissions by role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import User
from django.db.models import DateTimeField, QuerySet
from django.db.models.expressions import Combinable
from django.utils import timezone

from accounts.access import PERMISSIONS, membership_of
from accounts.models import Role
from accounts.names import find_person
from core.prepared import Given, PreparedQuery

# What apps above want to know of whoever asks for a page, by the attribute that it gets.
_asked_of_readers: Final[dict[str, Callable[[Given], Combinable]]] = {}


def ask_of_readers(attribute: str, make: Callable[[Given], Combinable]) -> None:
    """Let each request's user have ``attribute``, fetched in the query that every request makes anyway.

    ``make`` is given the moment of the request. To be called while apps get ready: the query is made at the first one.
    """
    _asked_of_readers[attribute] = make


def _readers() -> QuerySet[User]:
    asked = {attribute: make(Given("now", DateTimeField())) for attribute, make in _asked_of_readers.items()}
    return User.objects.select_related("membership").annotate(**asked).filter(pk=Given("pk", User._meta.pk))


_READER: Final = PreparedQuery(_readers)


class RoleBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth ships no types
    def get_user(self, user_id: int) -> User | None:
        """The active user with its membership, which every request needs, in one query."""
        for user in _READER.ask(pk=user_id, now=timezone.now()):
            return user if self.user_can_authenticate(user) else None
        return None

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

"""Authentication of the API: the caller of a token, its rate limit, and its permissions, which each operation names.

A token opens what its scopes name *and* its owner's role allows at the time of the request. A caller
limited to companies – a Company viewer, or a token for a company – is refused every operation about more than these,
and no answer reveals what else exists.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from ninja.errors import AuthenticationError
from ninja.security import HttpBearer

from accounts.access import membership_of
from accounts.addresses import client_address, network_of
from accounts.audit.recording import TOKEN_ATTRIBUTE
from accounts.models import Role
from accounts.requiring import is_overdue
from api.models import ApiToken, Scope
from api.problems import Problem
from api.rates import count_request
from api.services import find_token
from core.audit import audit_event
from providers.permissions import SEE_PROVIDERS

RATE_ATTRIBUTE = "api_rate"
_USE_IS_WRITTEN_AFTER = timedelta(minutes=1)
# Of a token that is used from everywhere the oldest are forgotten, and are new again.
_MOST_ADDRESSES = 200


@dataclass(frozen=True)
class Caller:
    """The authenticated caller; ``companies`` are the ids it may see, None: all, and providers and keys as well."""

    token: ApiToken
    user: User
    companies: frozenset[int] | None

    def sees(self, company_id: int) -> bool:
        return self.companies is None or company_id in self.companies


class BearerToken(HttpBearer):
    """Lets a request in whose token has ``scope``, and whose owner has ``permission``.

    Without a permission the operation itself keeps to the caller's companies.
    """

    openapi_description = "An API token, made under Settings → API tokens or by manage.py create_api_token."

    def __init__(self, scope: Scope, permission: str = "") -> None:
        super().__init__()
        self.scope = scope
        self.permission = permission

    def __call__(self, request: HttpRequest) -> Any:
        """Called without a header, too, so that a missing token is counted as a wrong one."""
        kind, _space, token = request.headers.get("Authorization", "").partition(" ")
        return self.authenticate(request, token.strip() if kind.lower() == "bearer" else "")

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """Raises AuthenticationError (401) or Problem (403, 429)."""
        now = timezone.now()
        found = find_token(text=token, now=now)
        if found is None:
            count_request(f"address:{network_of(client_address(request))}").check()
            raise AuthenticationError
        rate = count_request(f"token:{found.pk}")
        setattr(request, RATE_ATTRIBUTE, rate)
        rate.check()
        request.user = found.user  # whom the audit log names, with the token
        setattr(request, TOKEN_ATTRIBUTE, f"{found.name} (adm_{found.public_id})")
        _note_use(found, network_of(client_address(request)), now)
        if is_overdue(found.user, now):
            raise Problem(HTTPStatus.FORBIDDEN, "The owner of this token has to set up a second factor first.")
        caller = Caller(found, found.user, _companies_of(found))
        self._check(caller)
        return caller

    def _check(self, caller: Caller) -> None:
        if self.scope not in caller.token.scopes:
            raise Problem(HTTPStatus.FORBIDDEN, f"This token lacks the scope {self.scope}.")
        if self.permission and (caller.companies is not None or not caller.user.has_perm(self.permission)):
            raise Problem(HTTPStatus.FORBIDDEN, "The role of this token's owner, or its company, does not allow this.")


def caller_of(request: HttpRequest) -> Caller:
    """Whom the door let in."""
    caller = getattr(request, "auth", None)
    assert isinstance(caller, Caller)  # noqa: S101 - for the type checker
    return caller


def _companies_of(token: ApiToken) -> frozenset[int] | None:
    chosen = None if token.company_id is None else frozenset([token.company_id])
    if token.user.has_perm(SEE_PROVIDERS):
        return chosen
    membership = membership_of(token.user)
    if membership is None or membership.role != Role.COMPANY_VIEWER:
        return frozenset()
    own = frozenset(membership.companies.values_list("pk", flat=True))
    return own if chosen is None else own & chosen


def _note_use(token: ApiToken, network: str, now: datetime) -> None:
    """When it was last used, to the minute; and in the audit log, from where it had not been used before.

    A database that takes no changes still answers.
    """
    is_new = network not in token.known_addresses
    if not is_new and token.last_used_at is not None and now - token.last_used_at < _USE_IS_WRITTEN_AFTER:
        return
    with suppress(DatabaseError), transaction.atomic():
        if is_new:
            _note_address(token, network)
        due = Q(last_used_at=None) | Q(last_used_at__lte=now - _USE_IS_WRITTEN_AFTER)
        ApiToken.objects.filter(due, pk=token.pk).update(last_used_at=now)


def _note_address(token: ApiToken, network: str) -> None:
    stored = ApiToken.objects.select_for_update(no_key=True).get(pk=token.pk)
    if network in stored.known_addresses:
        return
    stored.known_addresses = [*stored.known_addresses, network][-_MOST_ADDRESSES:]
    stored.save(update_fields=["known_addresses"])
    audit_event("token.used_from_new_address", token, actor=token.user, new={"address": network})

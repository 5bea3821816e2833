"""The table of access: the permission that every URL of the product needs, and the permissions of every role.

Deny by default: a URL that is not in the table is open to Admins alone, after they have confirmed their identity, and a
test fails until it is listed.
Templates and views check the same permissions by name: ``perms.providers.assign_project`` in a template,
``request.user.has_perm("providers.assign_project")`` in Python – also in apps below, which must not import this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.urls import ResolverMatch

from accounts.models import Membership, Role
from providers.permissions import SEE_PROVIDERS


class Open(Enum):
    """Needs no permission."""

    TO_ALL = "without signing in"
    TO_MEMBERS = "whoever is signed in: the own profile, and the way to it"


@dataclass(frozen=True)
class OwnCompany:
    """Needs SEE_PROVIDERS, or the role Company viewer for the company whose id is the URL's ``argument``."""

    argument: str


@dataclass(frozen=True)
class Confirmed:
    """Needs ``need``, and a confirmation of identity within the last minutes (accounts.confirming).

    For acts on people, roles, second factors, providers' keys and closed months.
    """

    need: str | Open


ASSIGN: Final = "providers.assign_project"  # keys to companies, rules, the companies themselves
SYNC: Final = "providers.sync_provider"  # ask for a sync, accept a held answer
CONNECT: Final = "providers.change_provider"  # connect, replace its key, rename, pause, delete
CLOSE: Final = "costs.close_month"  # freeze a month's statements
LETTERHEAD: Final = "costs.change_letterhead"  # what clients read of the agency
MANAGE: Final = "accounts.manage_members"  # roles and invitations
AUDIT: Final = "accounts.view_audit_log"
BUDGET: Final = "alerts.change_budget"
WATCH: Final = "alerts.manage_endpoints"  # webhooks, what is watched, what Company viewers are told

# A Viewer reads. A Member does the daily work on top, which can be undone. What handles keys, freezes figures, lets
# people in or takes data away is the Admins' alone.
_VIEWER: Final = frozenset({SEE_PROVIDERS})
_MEMBER: Final = _VIEWER | {ASSIGN, SYNC, BUDGET}
_ADMIN: Final = _MEMBER | {CONNECT, CLOSE, LETTERHEAD, MANAGE, AUDIT, WATCH}
PERMISSIONS: Final[Mapping[Role, frozenset[str]]] = {
    Role.ADMIN: _ADMIN,
    Role.MEMBER: _MEMBER,
    Role.VIEWER: _VIEWER,
    Role.COMPANY_VIEWER: frozenset(),
}

Need: TypeAlias = str | Open | OwnCompany | Confirmed

URLS: Final[Mapping[str, Need]] = {
    # Signing in
    "account_login": Open.TO_ALL,
    "account_logout": Open.TO_ALL,
    "account_inactive": Open.TO_ALL,
    "mfa_login_webauthn": Open.TO_ALL,
    "mfa_authenticate": Open.TO_ALL,
    "accept_invitation": Open.TO_ALL,
    "choose_password": Open.TO_ALL,
    "openid_connect_login": Open.TO_ALL,
    "openid_connect_callback": Open.TO_ALL,
    # For machines; /metrics checks its own token.
    "healthz": Open.TO_ALL,
    "readyz": Open.TO_ALL,
    "metrics": Open.TO_ALL,
    # The own profile
    "settings": Open.TO_MEMBERS,
    "theme": Open.TO_MEMBERS,
    "your_companies": Open.TO_MEMBERS,
    "search": Open.TO_MEMBERS,
    "views:list": Open.TO_MEMBERS,
    "views:change": Open.TO_MEMBERS,
    "account_change_password": Confirmed(Open.TO_MEMBERS),
    "admin_change_password": Open.TO_MEMBERS,
    "account_reauthenticate": Open.TO_MEMBERS,
    "mfa_reauthenticate": Open.TO_MEMBERS,
    "mfa_reauthenticate_webauthn": Open.TO_MEMBERS,
    "security": Open.TO_MEMBERS,
    "mfa_index": Open.TO_MEMBERS,
    "mfa_list_webauthn": Open.TO_MEMBERS,
    "end_other_sessions": Open.TO_MEMBERS,
    "mfa_activate_totp": Confirmed(Open.TO_MEMBERS),
    "mfa_deactivate_totp": Confirmed(Open.TO_MEMBERS),
    "mfa_view_recovery_codes": Confirmed(Open.TO_MEMBERS),
    "mfa_generate_recovery_codes": Confirmed(Open.TO_MEMBERS),
    "mfa_download_recovery_codes": Confirmed(Open.TO_MEMBERS),
    "mfa_add_webauthn": Confirmed(Open.TO_MEMBERS),
    "mfa_edit_webauthn": Confirmed(Open.TO_MEMBERS),
    "mfa_remove_webauthn": Confirmed(Open.TO_MEMBERS),
    "tokens:list": Open.TO_MEMBERS,
    "tokens:add": Confirmed(Open.TO_MEMBERS),
    "tokens:revoke": Confirmed(Open.TO_MEMBERS),
    "api_docs": Open.TO_MEMBERS,
    "alerts:list": Open.TO_MEMBERS,
    "alerts:read": Open.TO_MEMBERS,
    "alerts:read_all": Open.TO_MEMBERS,
    "alerts:snooze": Open.TO_MEMBERS,
    "notifications:own": Open.TO_MEMBERS,
    "notifications:subscribe": SEE_PROVIDERS,
    "notifications:unsubscribe": SEE_PROVIDERS,
    # Budgets, and what is told to whom
    "unusual:list": SEE_PROVIDERS,
    "unusual:detail": SEE_PROVIDERS,
    "unusual:say": BUDGET,
    "budgets:list": SEE_PROVIDERS,
    "budgets:add": BUDGET,
    "budgets:edit": BUDGET,
    "budgets:delete": BUDGET,
    "notifications:watched": SEE_PROVIDERS,
    "notifications:test": WATCH,
    "notifications:endpoints": WATCH,
    "notifications:endpoint": WATCH,
    "notifications:add_endpoint": Confirmed(WATCH),
    "notifications:new_secret": Confirmed(WATCH),
    "notifications:switch_endpoint": WATCH,
    "notifications:delete_endpoint": WATCH,
    "notifications:redeliver": WATCH,
    # The product itself
    "about": SEE_PROVIDERS,
    "members:list": MANAGE,
    "members:invite": Confirmed(MANAGE),
    "members:withdraw": Confirmed(MANAGE),
    "members:edit": Confirmed(MANAGE),
    "members:deactivate": Confirmed(MANAGE),
    "members:reactivate": Confirmed(MANAGE),
    "members:reset_two_factor": Confirmed(MANAGE),
    "members:password_link": Confirmed(MANAGE),
    "members:unlink": Confirmed(MANAGE),
    "members:remove": Confirmed(MANAGE),
    "audit:list": AUDIT,
    # What it costs
    "dashboard": SEE_PROVIDERS,
    "companies:list": SEE_PROVIDERS,
    "models:list": SEE_PROVIDERS,
    "models:detail": SEE_PROVIDERS,
    "exports:usage": SEE_PROVIDERS,
    "exports:focus": SEE_PROVIDERS,
    "companies:detail": OwnCompany("pk"),
    "companies:statements": OwnCompany("pk"),
    "companies:statement": OwnCompany("pk"),
    "companies:statement_csv": OwnCompany("pk"),
    "companies:statement_pdf": OwnCompany("pk"),
    "companies:add": ASSIGN,
    "companies:suggested": ASSIGN,
    "companies:edit": ASSIGN,
    "companies:archive": ASSIGN,
    "companies:restore": ASSIGN,
    "statements:list": SEE_PROVIDERS,
    "statements:month": SEE_PROVIDERS,
    "statements:pdf": SEE_PROVIDERS,
    "statements:zip": SEE_PROVIDERS,
    "statements:accounting": SEE_PROVIDERS,
    "statements:close": Confirmed(CLOSE),
    "agency:edit": LETTERHEAD,
    "agency:logo": Open.TO_MEMBERS,
    "rules:list": SEE_PROVIDERS,
    "rules:add": ASSIGN,
    "rules:edit": ASSIGN,
    "rules:move": ASSIGN,
    "rules:delete": ASSIGN,
    "rules:apply": ASSIGN,
    # API keys and agents
    "keys:list": SEE_PROVIDERS,
    "keys:detail": SEE_PROVIDERS,
    "keys:assign": ASSIGN,
    "keys:reassign": ASSIGN,
    "keys:split": ASSIGN,
    "keys:changes": SEE_PROVIDERS,
    "keys:label": ASSIGN,
    "keys:period": ASSIGN,
    # Providers
    "providers:list": SEE_PROVIDERS,
    "providers:detail": SEE_PROVIDERS,
    "providers:progress": SEE_PROVIDERS,
    "providers:restatements": SEE_PROVIDERS,
    "providers:sync": SYNC,
    "providers:resync": SYNC,
    "providers:accept": SYNC,
    "providers:assign": ASSIGN,
    "providers:reassign": ASSIGN,
    "providers:split": ASSIGN,
    "providers:keyless": ASSIGN,
    "providers:agents": ASSIGN,
    "providers:undo": ASSIGN,
    "providers:add": Confirmed(CONNECT),
    "providers:try_simulated": CONNECT,
    "providers:rename": CONNECT,
    "providers:replace_key": Confirmed(CONNECT),
    "providers:pause": CONNECT,
    "providers:resume": CONNECT,
    "providers:delete": Confirmed(CONNECT),
    "providers:credit_rate": CONNECT,
}

# What stays open to who has to set up a second factor first (accounts.requiring), beside what is open to all.
ENROLMENT: Final = frozenset(
    {
        "security",
        "mfa_index",
        "mfa_list_webauthn",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_download_recovery_codes",
        "account_change_password",
        "account_reauthenticate",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
    }
)

# Whole namespaces of URLs that other packages define.
# The API checks tokens and their owners' permissions itself (api.doors).
NAMESPACES: Final[Mapping[str, Need]] = {"admin": Confirmed(MANAGE), "api": Open.TO_ALL}


def need_of(match: ResolverMatch) -> Need:
    """What opening this URL needs; where it is not listed, MANAGE with a recent confirmation."""
    if match.namespaces and match.namespaces[0] in NAMESPACES:
        return NAMESPACES[match.namespaces[0]]
    return URLS.get(match.view_name, Confirmed(MANAGE))


def membership_of(user: User | AnonymousUser) -> Membership | None:
    """The person's membership; None without a sign-in, and for a user row that was made outside of this product."""
    return getattr(user, "membership", None) if user.is_authenticated else None


def role_of(request: HttpRequest) -> Role | None:
    """The role of the request's user; None – which allows nothing – without a sign-in or a membership."""
    if request.user.is_authenticated and request.user.is_superuser:
        return Role.ADMIN
    membership = membership_of(request.user)
    return Role(membership.role) if membership else None


def sees_company(user: User | AnonymousUser, company_id: int) -> bool:
    """Whether this company's costs may be shown to ``user``."""
    if user.has_perm(SEE_PROVIDERS):
        return True
    membership = membership_of(user)
    return (
        membership is not None
        and membership.role == Role.COMPANY_VIEWER
        and membership.companies.filter(pk=company_id).exists()
    )


def may_open(user: User | AnonymousUser, match: ResolverMatch) -> bool:
    """Whether ``user`` may open the URL behind ``match``."""
    return fulfils(user, need_of(match), match.kwargs)


def is_open_before_enrolment(match: ResolverMatch) -> bool:
    """Whether the URL leads to a second factor, out, or is open to all."""
    return match.view_name in ENROLMENT or need_of(match) == Open.TO_ALL


def asks_to_confirm(match: ResolverMatch) -> bool:
    """Whether the URL needs a recent confirmation of identity."""
    return isinstance(need_of(match), Confirmed)


def fulfils(user: User | AnonymousUser, need: Need, arguments: Mapping[str, Any]) -> bool:
    match need:
        case Open.TO_ALL:
            return True
        case Open.TO_MEMBERS:
            return user.is_authenticated
        case Confirmed(inner):
            return fulfils(user, inner, arguments)
        case OwnCompany(argument):
            return sees_company(user, arguments[argument])
        case permission:
            return user.has_perm(permission)

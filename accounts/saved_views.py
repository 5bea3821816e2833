"""Saved views: addresses of pages – with their range, filters and order – that a person has named, and pinned perhaps.

They lie on the person's membership, which every request reads anyway: the menu that lists them costs no query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import Resolver404, resolve

from accounts.access import may_open, membership_of
from accounts.models import Membership

MOST = 50
LONGEST_NAME = 60
LONGEST_ADDRESS = 2000


@dataclass(frozen=True)
class SavedView:
    name: str
    address: str  # path and query
    pinned: bool = False


def views_of(user: User | AnonymousUser) -> list[SavedView]:
    """By name, those that are pinned first."""
    membership = membership_of(user)
    found = [SavedView(**stored) for stored in membership.saved_views] if membership else []
    return sorted(found, key=lambda view: (not view.pinned, view.name.casefold()))


def save_view(*, user: User, name: str, address: str) -> SavedView:
    """Save a page's address under a name; one of that name is replaced. Raises ValidationError, by field."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise ValidationError({"name": f"Give a name of at most {LONGEST_NAME} characters."})
    view = SavedView(name, _checked_address(user, address), pinned=True)
    with transaction.atomic():
        membership = _locked(user)
        others = [stored for stored in _stored(membership) if not _same(stored.name, name)]
        if len(others) >= MOST:
            raise ValidationError({"name": f"You have {MOST} saved views. Remove one first."})
        _store(membership, [*others, view])
    return view


@transaction.atomic
def pin_view(*, user: User, name: str, pinned: bool) -> None:
    membership = _locked(user)
    _store(
        membership,
        [
            SavedView(view.name, view.address, pinned) if _same(view.name, name) else view
            for view in _stored(membership)
        ],
    )


@transaction.atomic
def remove_view(*, user: User, name: str) -> None:
    membership = _locked(user)
    _store(membership, [view for view in _stored(membership) if not _same(view.name, name)])


def _checked_address(user: User, address: str) -> str:
    """An address of this site that the person may open, without what asks for a file."""
    refusal = ValidationError({"address": "This is no address of a page here."})
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or len(address) > LONGEST_ADDRESS:
        raise refusal
    try:
        match = resolve(parts.path)
    except Resolver404:
        raise refusal from None
    if not may_open(user, match):
        raise refusal
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name != "csv"])
    return f"{parts.path}?{query}" if query else parts.path


def _locked(user: User) -> Membership:
    return Membership.objects.select_for_update().get(user=user)


def _stored(membership: Membership) -> list[SavedView]:
    return [SavedView(**stored) for stored in membership.saved_views]


def _store(membership: Membership, views: Sequence[SavedView]) -> None:
    membership.saved_views = [asdict(view) for view in views]
    membership.save(update_fields=["saved_views"])


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()

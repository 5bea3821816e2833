"""The table of those who can sign in, for Settings → Members."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from accounts.people import person
from accounts.requiring import note_of
from core.cells import status
from core.names import isolated
from core.tables import Column, Row, Table
from core.wording import moment

COLUMNS = (
    Column("Name", is_number=False),
    Column("Role", is_number=False, css=""),
    Column("Two-factor", is_number=False, css=""),
    Column("Last sign-in", is_number=False, css="nowrap"),
)


def people_table(people: Iterable[Any], reader: User | AnonymousUser) -> Table:
    """``people`` are users that know whether they have a second factor: ``has_two_factor``."""
    return Table("Who can sign in", COLUMNS, tuple(_row(user, reader) for user in people), css="data--top")


def _row(user: Any, reader: User | AnonymousUser) -> Row:
    cells = (_name(user, is_reader=user == reader), _role(user), _two_factor(user), _last_sign_in(user))
    return Row(cells, is_muted=not user.is_active)


def _name(user: User, *, is_reader: bool) -> SafeString:
    known_by = [user.get_username()] if user.get_full_name() else []
    if user.email and user.email != user.get_username():
        known_by.append(user.email)
    badges = [badge for badge, applies in (("You", is_reader), ("Deactivated", not user.is_active)) if applies]
    return format_html(
        '<a class="row-link" href="{}">{}</a>{}<span class="sub">{}</span>',
        reverse("members:edit", args=[user.pk]),
        isolated(person(user)),
        format_html_join("", ' <span class="badge">{}</span>', ((badge,) for badge in badges)),
        _joined(" · ", known_by),
    )


def _role(user: User) -> SafeString:
    companies = (company.name for company in user.membership.companies.all())
    return format_html('{}<span class="sub">{}</span>', user.membership.get_role_display(), _joined(", ", companies))


def _two_factor(user: Any) -> SafeString:
    note = note_of(user, has_two_factor=user.has_two_factor)
    return format_html(
        "{}{}",
        status("connected", "On") if user.has_two_factor else mark_safe('<span class="muted">Off</span>'),
        format_html('<span class="sub">{}</span>', note) if note else "",
    )


def _last_sign_in(user: User) -> SafeString | str:
    if user.last_login is None:
        return mark_safe('<span class="muted">Never</span>')
    return f"{moment(user.last_login.astimezone(UTC))} UTC"


def _joined(separator: str, names: Iterable[str]) -> SafeString:
    return format_html_join(separator, "{}", ((isolated(name),) for name in names))

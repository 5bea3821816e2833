"""Who may open what: every URL of the product, asked for by everybody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import Client
from django.urls import ResolverMatch

from accounts.access import NAMESPACES, URLS, Confirmed, Open, may_open, sees_company
from accounts.models import Membership, Role
from accounts.services.members import change_role
from tests.accounts.worlds import OF_THE_ADMIN, OURS, World, address
from tests.accounts.worlds import world as world
from tests.factories import (
    make_company,
    make_user,
)

pytestmark = pytest.mark.django_db

PEOPLE = ("anonymous", "admin", "member", "viewer", "own", "other")

# What each of PEOPLE is answered to a GET. "own" and "other" are Company viewers: of the company in the URL, where
# there is one, and of another one. 302 leads to signing in, to confirming who one is, or to where one belongs; 405 says
# that the person may do it, by POST; 403 and 404 that the person may not.
ANSWERS = {
    "account_login": "200 302 302 302 302 302",
    "account_logout": "302 200 200 200 200 200",
    "account_inactive": "200 200 200 200 200 200",
    "mfa_login_webauthn": "302 302 302 302 302 302",
    "mfa_authenticate": "302 302 302 302 302 302",
    "accept_invitation": "200 409 409 409 409 409",
    "choose_password": "404 404 404 404 404 404",
    "openid_connect_login": "404 404 404 404 404 404",
    "openid_connect_callback": "404 404 404 404 404 404",
    "healthz": "200 200 200 200 200 200",
    "readyz": "200 200 200 200 200 200",
    "metrics": "404 404 404 404 404 404",
    "settings": "302 200 200 200 200 200",
    "theme": "302 405 405 405 405 405",
    "your_companies": "302 302 302 302 302 302",
    "search": "302 200 200 200 200 200",
    "views:list": "302 200 200 200 200 200",
    "views:change": "302 405 405 405 405 405",
    "account_change_password": "302 200 200 200 200 200",
    "admin_change_password": "302 302 302 302 302 302",
    "account_reauthenticate": "302 200 200 200 200 200",
    "mfa_reauthenticate": "302 302 302 302 302 302",
    "mfa_reauthenticate_webauthn": "302 302 302 302 302 302",
    "security": "302 200 200 200 200 200",
    "mfa_index": "302 200 200 200 200 200",
    "mfa_list_webauthn": "302 200 200 200 200 200",
    "end_other_sessions": "302 405 405 405 405 405",
    "mfa_activate_totp": "302 200 200 200 200 200",
    "mfa_deactivate_totp": "302 404 404 404 404 404",
    "mfa_view_recovery_codes": "302 404 404 404 404 404",
    "mfa_generate_recovery_codes": "302 200 200 200 200 200",
    "mfa_download_recovery_codes": "302 404 404 404 404 404",
    "mfa_add_webauthn": "302 200 200 200 200 200",
    "mfa_edit_webauthn": "302 404 404 404 404 404",
    "mfa_remove_webauthn": "302 404 404 404 404 404",
    "tokens:list": "302 200 200 200 200 200",
    "tokens:add": "302 200 200 200 200 200",
    "tokens:revoke": "302 405 405 405 405 405",
    "api_docs": "302 200 200 200 200 200",
    "alerts:list": "302 200 200 200 200 200",
    "alerts:read": "302 405 405 405 405 405",
    "alerts:read_all": "302 405 405 405 405 405",
    "alerts:snooze": "302 405 405 405 405 405",
    "notifications:own": "302 200 200 200 200 200",
    "notifications:subscribe": "302 405 405 405 404 404",
    "notifications:unsubscribe": "302 405 405 405 404 404",
    "notifications:watched": "302 200 200 200 404 404",
    "notifications:test": "302 405 403 403 404 404",
    "notifications:endpoints": "302 200 403 403 404 404",
    "notifications:endpoint": "302 200 403 403 404 404",
    "notifications:add_endpoint": "302 200 403 403 404 404",
    "notifications:new_secret": "302 405 403 403 404 404",
    "notifications:switch_endpoint": "302 405 403 403 404 404",
    "notifications:delete_endpoint": "302 200 403 403 404 404",
    "notifications:redeliver": "302 405 403 403 404 404",
    "unusual:list": "302 200 200 200 404 404",
    "unusual:detail": "302 200 200 200 404 404",
    "unusual:say": "302 405 405 403 404 404",
    "budgets:list": "302 200 200 200 404 404",
    "budgets:add": "302 200 200 403 404 404",
    "budgets:edit": "302 200 200 403 404 404",
    "budgets:delete": "302 200 200 403 404 404",
    "about": "302 200 200 200 404 404",
    "members:list": "302 200 403 403 404 404",
    "members:invite": "302 200 403 403 404 404",
    "members:withdraw": "302 405 403 403 404 404",
    "members:edit": "302 200 403 403 404 404",
    "members:deactivate": "302 405 403 403 404 404",
    "members:reactivate": "302 405 403 403 404 404",
    "members:password_link": "302 405 403 403 404 404",
    "members:reset_two_factor": "302 405 403 403 404 404",
    "members:unlink": "302 405 403 403 404 404",
    "members:remove": "302 200 403 403 404 404",
    "audit:list": "302 200 403 403 404 404",
    "dashboard": "302 200 200 200 302 302",
    "companies:list": "302 200 200 200 404 404",
    "companies:detail": "302 200 200 200 200 404",
    "companies:add": "302 200 200 403 404 404",
    "companies:suggested": "302 200 200 403 404 404",
    "companies:edit": "302 200 200 403 404 404",
    "companies:archive": "302 405 405 403 404 404",
    "companies:restore": "302 405 405 403 404 404",
    "companies:statements": "302 200 200 200 200 404",
    "companies:statement": "302 200 200 200 200 404",
    "companies:statement_csv": "302 200 200 200 200 404",
    "companies:statement_pdf": "302 200 200 200 200 404",
    "statements:list": "302 200 200 200 404 404",
    "statements:month": "302 200 200 200 404 404",
    "statements:pdf": "302 302 302 302 404 404",
    "statements:zip": "302 302 302 302 404 404",
    "statements:accounting": "302 200 200 200 404 404",
    "statements:close": "302 200 403 403 404 404",
    "agency:edit": "302 200 403 403 404 404",
    "agency:logo": "302 404 404 404 404 404",
    "models:list": "302 200 200 200 404 404",
    "models:detail": "302 200 200 200 404 404",
    "exports:usage": "302 200 200 200 404 404",
    "exports:focus": "302 200 200 200 404 404",
    "rules:list": "302 200 200 200 404 404",
    "rules:add": "302 200 200 403 404 404",
    "rules:edit": "302 200 200 403 404 404",
    "rules:move": "302 405 405 403 404 404",
    "rules:delete": "302 200 200 403 404 404",
    "rules:apply": "302 200 200 403 404 404",
    "keys:list": "302 200 200 200 404 404",
    "keys:detail": "302 200 200 200 404 404",
    "keys:assign": "302 405 405 403 404 404",
    "keys:reassign": "302 422 422 403 404 404",
    "keys:changes": "302 200 200 200 404 404",
    "keys:label": "302 405 405 403 404 404",
    "keys:period": "302 422 422 403 404 404",
    "keys:split": "302 422 422 403 404 404",
    "providers:list": "302 200 200 200 404 404",
    "providers:detail": "302 200 200 200 404 404",
    "providers:progress": "302 302 302 302 404 404",
    "providers:restatements": "302 200 200 200 404 404",
    "providers:sync": "302 405 405 403 404 404",
    "providers:resync": "302 200 200 403 404 404",
    "providers:accept": "302 405 405 403 404 404",
    "providers:assign": "302 405 405 403 404 404",
    "providers:reassign": "302 422 422 403 404 404",
    "providers:split": "302 422 422 403 404 404",
    "providers:keyless": "302 200 200 403 404 404",
    "providers:agents": "302 200 200 403 404 404",
    "providers:undo": "302 200 200 403 404 404",
    "providers:add": "302 200 403 403 404 404",
    "providers:try_simulated": "302 405 403 403 404 404",
    "providers:rename": "302 200 403 403 404 404",
    "providers:replace_key": "302 200 403 403 404 404",
    "providers:pause": "302 200 403 403 404 404",
    "providers:resume": "302 200 403 403 404 404",
    "providers:delete": "302 200 403 403 404 404",
    "providers:credit_rate": "302 200 403 403 404 404",
}

# Everything below /admin/. What an Admin is answered depends on the page.
ADMIN_ANSWERS = {"anonymous": 302, "member": 403, "viewer": 403, "own": 404, "other": 404}


def is_for_everybody(name: str) -> bool:
    need = URLS.get(name)
    return isinstance(need.need if isinstance(need, Confirmed) else need, Open)


def by_namespace(names: Iterable[str]) -> list[Any]:
    """Names that one world is enough for: no answer to a GET or refusal of a POST leaves anything behind."""
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        groups.setdefault(name.partition(":")[0] if ":" in name else name.partition("_")[0], []).append(name)
    return [pytest.param(group, id=namespace) for namespace, group in groups.items()]


def test_every_url_is_pinned_here() -> None:
    """A new URL fails this test until somebody has written down who may open it."""
    assert set(OURS) == set(ANSWERS)


def test_every_url_is_in_the_access_table() -> None:
    """Without an entry only Admins get in, which would be found out by the first Member."""
    assert set(OURS) == set(URLS)
    assert set(NAMESPACES) == {"admin", "api"}


@pytest.mark.any_engine
@pytest.mark.parametrize("names", by_namespace(OURS))
def test_everybody_gets_the_pinned_answer(world: World, names: list[str]) -> None:
    """To a GET."""
    answers = {}
    for name in names:
        url = address(world, name, OURS[name])
        answers[name] = " ".join(str(world.people[who].get(url).status_code) for who in PEOPLE)

    assert answers == {name: ANSWERS[name] for name in names}


@pytest.mark.any_engine
@pytest.mark.parametrize("names", by_namespace(name for name in OURS if not is_for_everybody(name)))
def test_who_may_not_look_may_not_post_either(world: World, names: list[str]) -> None:
    """The refusal comes before the view, whatever the method."""
    refused, answers = {}, {}
    for name in names:
        url = address(world, name, OURS[name])
        pinned = dict(zip(PEOPLE, ANSWERS[name].split(), strict=True))
        refused[name] = {who: pinned[who] for who in PEOPLE if pinned[who] in {"403", "404"} or who == "anonymous"}
        answers[name] = {who: str(world.people[who].post(url).status_code) for who in refused[name]}

    assert answers == refused


@pytest.mark.any_engine
def test_the_admin_is_for_admins(world: World) -> None:
    """Each of its URLs; a Company viewer does not even learn that it exists."""
    answers = {}
    for name, pattern in OF_THE_ADMIN:
        url = address(world, name, pattern)
        answers[name] = {who: world.people[who].get(url).status_code for who in ADMIN_ANSWERS}

    assert len(answers) > 20
    assert answers == dict.fromkeys(answers, ADMIN_ANSWERS)


def test_an_admin_opens_the_admin(world: World) -> None:
    """Its start and the list of users."""
    admin = world.people["admin"]

    assert admin.get("/admin/").status_code == 200
    assert admin.get("/admin/auth/user/").status_code == 200


def test_an_address_that_nobody_has_put_into_the_table_is_the_admins() -> None:
    """Deny by default."""
    match = ResolverMatch(lambda: None, (), {}, url_name="brand_new")

    assert may_open(make_user(role=Role.ADMIN), match)
    assert not may_open(make_user(role=Role.MEMBER), match)
    assert not may_open(AnonymousUser(), match)


def test_somebody_without_a_role_may_only_see_their_own_profile(client: Client) -> None:
    """A row that was made past everything here opens nothing."""
    user = make_user(role=Role.MEMBER)
    Membership.objects.filter(user=user).delete()
    client.force_login(user)

    assert client.get("/").status_code == 403
    assert client.get("/companies/").status_code == 403
    assert client.get("/settings/").status_code == 200


def test_a_role_acts_from_the_next_request_on(client: Client) -> None:
    """Nothing of it is kept in the session."""
    user = make_user(role=Role.ADMIN)
    client.force_login(user)
    before = client.get("/settings/members/").status_code
    make_user(role=Role.ADMIN)

    change_role(user=user, role=Role.VIEWER)

    assert before == 200
    assert client.get("/settings/members/").status_code == 403


def test_a_company_viewer_starts_at_the_only_company(client: Client) -> None:
    """From the dashboard's address, where signing in and the brand lead."""
    acme = make_company(name="Acme")
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[acme]))

    response = client.get("/", follow=True)

    assert response.redirect_chain[-1][0] == f"/companies/{acme.pk}/"


def test_a_company_viewer_of_several_chooses(client: Client) -> None:
    """Among their own, and no other."""
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    make_company(name="Initech")
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[acme, globex]))

    page = client.get("/your-companies/").content.decode()

    assert "Acme" in page
    assert "Globex" in page
    assert "Initech" not in page


def test_the_companies_of_another_role_open_nothing() -> None:
    """Only a Company viewer's count; whoever lost the role lost them."""
    acme = make_company()
    viewer = make_user(role=Role.COMPANY_VIEWER, companies=[acme])
    nobody = make_user(role=Role.COMPANY_VIEWER, companies=[acme])
    Membership.objects.filter(user=nobody).delete()

    assert sees_company(viewer, acme.pk)
    assert not sees_company(User.objects.get(pk=nobody.pk), acme.pk)
    assert not sees_company(AnonymousUser(), acme.pk)


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        (Role.ADMIN, {"Dashboard", "Companies", "API keys", "Statements", "LLM Providers", "Settings"}),
        (Role.MEMBER, {"Dashboard", "Companies", "API keys", "Statements", "LLM Providers", "Settings"}),
        (Role.VIEWER, {"Dashboard", "Companies", "API keys", "Statements", "LLM Providers", "Settings"}),
        (Role.COMPANY_VIEWER, {"Your companies", "Settings"}),
    ],
)
def test_the_navigation_shows_what_may_be_opened(client: Client, role: Role, shown: set[str]) -> None:
    """And nothing else."""
    client.force_login(make_user(role=role))

    response = client.get("/settings/")

    assert {label for label, _name, _prefix in response.context["nav"]} == shown
    for offered in ("/settings/members/", "/admin/"):
        assert (f'href="{offered}"' in response.content.decode()) == (role == Role.ADMIN)


def test_a_superuser_is_an_admin_whoever_made_them_one() -> None:
    """createsuperuser, the shell: the role follows."""
    made = User.objects.create_superuser(username="root", password="a-long-password")
    raised = make_user(role=Role.VIEWER)

    raised.is_superuser = True
    raised.save()

    assert Membership.objects.get(user=made).role == Role.ADMIN
    assert Membership.objects.get(user=raised).role == Role.ADMIN

"""Settings → Members: who is here, inviting, changing roles, keeping people out."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import InviteForm, RemoveForm, RoleForm
from accounts.models import Invitation, Role
from accounts.people import person
from accounts.requiring import second_factors
from accounts.services.inviting import invite, withdraw_invitation
from accounts.services.members import (
    LastAdminError,
    change_role,
    deactivate_member,
    reactivate_member,
    remove_member,
    reset_two_factor,
    unlink_single_sign_on,
)
from accounts.services.password_links import make_password_link
from accounts.views.people_table import people_table
from core.names import isolated


@require_safe
def member_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    people = (
        User.objects.select_related("membership")
        .prefetch_related("membership__companies")
        .annotate(has_two_factor=Exists(second_factors().filter(user=OuterRef("pk"))))
        .order_by("-is_active", "username")
    )
    invitations = Invitation.objects.filter(accepted_at=None).select_related("invited_by")
    context = {
        "people": people_table(people, request.user),
        "without_two_factor": sum(not person.has_two_factor and person.has_usable_password() for person in people),
        "invitations": invitations.prefetch_related("companies"),
        "valid": set(Invitation.objects.open(now).values_list("pk", flat=True)),
        "now": now,
    }
    return render(request, "accounts/members.html", context)


@never_cache  # the link is shown once
@require_http_methods(["GET", "HEAD", "POST"])
def invite_member(request: HttpRequest) -> HttpResponse:
    form = InviteForm(request.POST) if request.method == "POST" else InviteForm()
    if form.is_valid():
        assert isinstance(request.user, User)  # noqa: S101 - for the type checker
        try:
            invitation, token = invite(
                role=Role(form.cleaned_data["role"]),
                companies=form.cleaned_data["companies"],
                email=form.cleaned_data["email"],
                invited_by=request.user,
                now=timezone.now(),
            )
        except ValidationError as refusal:
            form.add_error("email", refusal)
        else:
            link = request.build_absolute_uri(reverse("accept_invitation", args=[token]))
            return render(request, "accounts/invited.html", {"invitation": invitation, "link": link}, status=201)
    return render(request, "accounts/invite.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    withdraw_invitation(invitation=get_object_or_404(Invitation, pk=pk, accepted_at=None))
    messages.success(request, "The invitation is withdrawn. Its link works no longer.")
    return redirect("members:list")


@require_http_methods(["GET", "HEAD", "POST"])
def edit_member(request: HttpRequest, pk: int) -> HttpResponse:
    user = _member(pk)
    form = RoleForm(request.POST) if request.method == "POST" else RoleForm.of(user.membership)
    if form.is_valid():
        role = Role(form.cleaned_data["role"])
        try:
            change_role(user=user, role=role, companies=form.cleaned_data["companies"])
        except LastAdminError as refusal:
            form.add_error("role", refusal)
        else:
            _say(request, "{} is {} {} now.", user, _article(role), role.label)
            return redirect("members:list" if user != request.user or role == Role.ADMIN else "settings")
    context = {
        "person": user,
        "form": form,
        "has_two_factor": Authenticator.objects.filter(user=user).exists(),
        "linked": SocialAccount.objects.filter(user=user).order_by("date_joined"),
    }
    return render(request, "accounts/member.html", context, status=422 if form.errors else 200)


@require_POST
def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    user = _member(pk)
    try:
        deactivate_member(user=user)
    except LastAdminError as refusal:
        return _refused(request, user, refusal)
    _say(request, "{} can't sign in any more, and is signed out everywhere.", user)
    return redirect("members:list")


@require_POST
def reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    user = _member(pk)
    reactivate_member(user=user)
    _say(request, "{} can sign in again.", user)
    return redirect("members:list")


@require_POST
def reset_second_factor(request: HttpRequest, pk: int) -> HttpResponse:
    user = _member(pk)
    reset_two_factor(user=user)
    _say(request, "{} signs in with the password alone now, and is signed out everywhere.", user)
    return redirect("members:edit", user.pk)


@never_cache  # the link is shown once
@require_POST
def password_link(request: HttpRequest, pk: int) -> HttpResponse:
    user = _member(pk)
    assert isinstance(request.user, User)  # noqa: S101 - for the type checker
    try:
        link, token = make_password_link(user=user, made_by=request.user, now=timezone.now())
    except ValidationError as refusal:
        messages.error(request, refusal.messages[0])
        return redirect("members:edit", user.pk)
    context = {"person": user, "ends_at": link.ends_at}
    context["link"] = request.build_absolute_uri(reverse("choose_password", args=[token]))
    return render(request, "accounts/password_link.html", context, status=201)


@require_POST
def unlink(request: HttpRequest, pk: int) -> HttpResponse:
    user = _member(pk)
    unlink_single_sign_on(user=user)
    messages.success(
        request, f"{person(user)} is linked to no account for single sign-on, and is signed out everywhere."
    )
    return redirect("members:edit", user.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    user = _member(pk)
    data = request.POST if request.method == "POST" else None
    form = RemoveForm(data, username=user.get_username())
    if form.is_valid():
        try:
            remove_member(user=user)
        except LastAdminError as refusal:
            form.add_error(None, refusal)
        else:
            _say(request, "{} was removed.", user)
            return redirect("members:list")
    context = {"person": user, "form": form}
    return render(request, "accounts/remove.html", context, status=422 if form.errors else 200)


def _member(pk: int) -> User:
    return get_object_or_404(User.objects.select_related("membership"), pk=pk, membership__isnull=False)


def _say(request: HttpRequest, sentence: str, user: User, *more: str) -> None:
    """``sentence`` begins with the person's name."""
    messages.success(request, format_html(sentence, isolated(person(user)), *more))


def _article(role: Role) -> str:
    return "an" if role == Role.ADMIN else "a"


def _refused(request: HttpRequest, user: User, refusal: ValidationError) -> HttpResponse:
    context = {
        "title": f"{person(user)} was not deactivated",
        "sentences": refusal.messages,
        "back": reverse("members:edit", args=[user.pk]),
    }
    return render(request, "problem.html", context, status=422)

"""The pages behind the links that Admins hand over.

An invitation's is the only public form that makes an account; the other lets somebody choose a new password.
"""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.forms import ChoosePasswordForm, JoinForm
from accounts.requiring import is_required_of
from accounts.services.inviting import InvitationOverError, accept_invitation, find_invitation
from accounts.services.password_links import PasswordLinkOverError, find_password_link, use_password_link


@login_not_required
@never_cache
@sensitive_post_parameters("password", "password_again")
@sensitive_variables("form", "token")
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """404 does not disclose why a link does not work: used, withdrawn, expired, or never given."""
    now = timezone.now()
    try:
        invitation = find_invitation(token=token, now=now)
    except InvitationOverError:
        return _over(request)
    if request.user.is_authenticated:
        return render(request, "accounts/join_signed_in.html", status=409)
    form = JoinForm(request.POST if request.method == "POST" else None, invitation=invitation)
    if form.is_valid():
        username = form.cleaned_data["username"]
        try:
            user = accept_invitation(
                invitation=invitation, username=username, password=form.cleaned_data["password"], now=now
            )
        except InvitationOverError:
            return _over(request)
        except IntegrityError:
            form.add_error("username", "This username is taken. Choose another one.")
        else:
            record_authentication(request, user, method="password", username=username)
            first = reverse("security") if is_required_of(user.membership) else None
            answer: HttpResponse = perform_login(request, user, redirect_url=first)
            return answer
    return render(
        request, "accounts/join.html", {"form": form, "invitation": invitation}, status=422 if form.errors else 200
    )


@login_not_required
@never_cache
@sensitive_post_parameters("password", "password_again")
@sensitive_variables("form", "token")
@require_http_methods(["GET", "HEAD", "POST"])
def choose_password(request: HttpRequest, token: str) -> HttpResponse:
    """Nobody is signed in by it: the new password – and the second factor – are asked for as always."""
    now = timezone.now()
    try:
        user = find_password_link(token=token, now=now).user
        form = ChoosePasswordForm(request.POST if request.method == "POST" else None, user=user)
        if form.is_valid():
            use_password_link(token=token, password=form.cleaned_data["password"], now=now)
            messages.success(request, "Your new password is saved. Sign in with it.")
            return redirect("account_login")
    except PasswordLinkOverError:
        return render(request, "accounts/password_link_over.html", status=404)
    context = {"form": form, "person": user}
    return render(request, "accounts/choose_password.html", context, status=422 if form.errors else 200)


def _over(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/invitation_over.html", status=404)

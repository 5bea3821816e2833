"""Settings → Profile, and where a Company viewer starts."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import membership_of, role_of
from accounts.forms import ProfileForm
from providers.permissions import SEE_PROVIDERS


@require_http_methods(["GET", "HEAD", "POST"])
def edit_profile(request: HttpRequest) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - for the type checker
    names = {"first_name": user.first_name, "last_name": user.last_name}
    form = ProfileForm(request.POST) if request.method == "POST" else ProfileForm(initial=names)
    if form.is_valid():
        user.first_name, user.last_name = form.cleaned_data["first_name"], form.cleaned_data["last_name"]
        user.save(update_fields=["first_name", "last_name"])
        messages.success(request, "Your name is saved.")
        return redirect("settings")
    role = role_of(request)
    context = {"form": form, "role": role.label if role else "None"}
    return render(request, "settings.html", context, status=422 if form.errors else 200)


@require_safe
def your_companies(request: HttpRequest) -> HttpResponse:
    """The companies that a Company viewer sees; straight to the only one. Everybody else has the whole list."""
    if request.user.has_perm(SEE_PROVIDERS):
        return redirect("companies:list")
    membership = membership_of(request.user)
    companies = list(membership.companies.order_by("name")) if membership else []
    if len(companies) == 1:
        return redirect(companies[0])
    return render(request, "accounts/your_companies.html", {"companies": companies})

"""Finding things again: the search behind the palette, and saved views."""

from __future__ import annotations

from itertools import groupby

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.saved_views import LONGEST_ADDRESS, LONGEST_NAME, pin_view, remove_view, save_view, views_of
from core.search import Found, find, fits

# What app-wide keys do, as the list of them says it; palette.js carries them out.
SHORTCUTS = (
    ("⌘ K or Ctrl K", "Search for companies, API keys, months, pages and actions"),
    ("/", "Search this page's list, or everything"),
    ("g d", "Dashboard"),
    ("g c", "Companies"),
    ("g k", "API keys"),
    ("g s", "Statements"),
    ("g p", "LLM Providers"),
    ("?", "This list"),
)


class SaveViewForm(forms.Form):
    name = forms.CharField(max_length=LONGEST_NAME, label="Name", help_text="E.g. “Acme, last month, by key”.")
    address = forms.CharField(max_length=LONGEST_ADDRESS, widget=forms.HiddenInput)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """A page of what fits ``q``; with ``part`` the list alone, which the palette shows."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - for the type checker
    query = request.GET.get("q", "")
    words = query.casefold().split()
    views = [Found("Saved views", view.name, view.address) for view in views_of(user) if fits(words, view.name)]
    groups = [(kind, list(of_kind)) for kind, of_kind in groupby([*views, *find(user, query)], lambda one: one.kind)]
    context = {"query": query, "groups": groups, "shortcuts": SHORTCUTS}
    return render(request, "search/_results.html" if "part" in request.GET else "search/search.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def saved_views(request: HttpRequest) -> HttpResponse:
    """The person's views, and the form that saves the page that ``address`` names."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - for the type checker
    form = SaveViewForm(request.POST) if request.method == "POST" else SaveViewForm(initial=request.GET.dict())
    if form.is_bound and form.is_valid():
        try:
            view = save_view(user=user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None if "address" in error.error_dict else "name", "; ".join(error.messages))
        else:
            messages.success(request, f"“{view.name}” is saved, and pinned to the menu.")
            return redirect(view.address)
    context = {"form": form, "address": form["address"].value(), "views": views_of(user)}
    return render(request, "search/views.html", context, status=422 if form.errors else 200)


@require_POST
def change_view(request: HttpRequest) -> HttpResponse:
    """Pin, unpin or remove the view of this name."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - for the type checker
    name = request.POST.get("name", "")
    if request.POST.get("act") == "remove":
        remove_view(user=user, name=name)
    else:
        pin_view(user=user, name=name, pinned=request.POST.get("act") == "pin")
    return redirect("views:list")

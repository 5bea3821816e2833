"""Settings → Agency: what every statement has of the agency, and its logo."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from core.request_helpers import person
from costs.models import Letterhead
from costs.pages.agency_form import LetterheadForm
from costs.statements.letterheads import save_letterhead

SAVED = "Your agency is saved. The PDF of any draft shows it; months that are closed keep theirs."


@require_http_methods(["GET", "HEAD", "POST"])
def agency(request: HttpRequest) -> HttpResponse:
    """The present letterhead; saved, it is that of drafts and of the months that are closed from now on."""
    letterhead = Letterhead.objects.present()
    logo = letterhead.logo
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = LetterheadForm(*sent, instance=letterhead)
    if form.is_valid():
        save_letterhead(letterhead=form.instance, logo=form.chosen_logo(), now=timezone.now(), made_by=person(request))
        messages.success(request, SAVED)
        return redirect("agency:edit")
    context = {"form": form, "logo": logo}
    return render(request, "settings/agency.html", context, status=422 if form.errors else 200)


@require_safe
def logo(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the framework's signature
    """The present logo: nothing in it can run, and opened alone it may not even try."""
    found = Letterhead.objects.present().logo
    if found is None:
        raise Http404
    return HttpResponse(
        bytes(found.content),
        content_type=found.content_type,
        headers={
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-cache",
        },
    )

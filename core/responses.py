"""What several views answer with: a page that says what is wrong, errors at a form's fields, acts of sending a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import copy_context

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render


def problem(
    request: HttpRequest, title: str, sentences: Iterable[str], back: str, *, status: int = 422
) -> HttpResponse:
    """A page of its own for a form that has no page of its own."""
    return render(request, "problem.html", {"title": title, "sentences": sentences, "back": back}, status=status)


def add_errors(form: forms.BaseForm, refusal: ValidationError) -> None:
    """The model's own refusals, at the field they are about; without such a field, above the form."""
    by_field = refusal.message_dict if hasattr(refusal, "error_dict") else {NON_FIELD_ERRORS: refusal.messages}
    for name, sentences in by_field.items():
        form.add_error(name if name in form.fields else None, sentences)


def before_sending(response: HttpResponseBase, act: Callable[[], None]) -> None:
    """Let ``act`` happen once it is sure that ``response`` is sent, as if it happened now; see begin_sending()."""
    context = copy_context()
    response._before_sending = lambda: context.run(act)  # type: ignore[attr-defined]


def begin_sending(response: HttpResponseBase) -> None:
    """What before_sending() was given happens; called by whatever could still have refused the answer."""
    getattr(response, "_before_sending", lambda: None)()

"""What several forms answer with: a page that says what is wrong, errors at their fields."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse
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

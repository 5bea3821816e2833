"""Companies, API keys and providers, as the search finds them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import and_

from django.contrib.auth.models import User
from django.db.models import Q

from core.search import MOST_OF_A_KIND, Found, register_source
from providers.models import Company, Project, Provider
from providers.permissions import SEE_PROVIDERS

Words = tuple[str, ...]


def register() -> None:
    register_source("companies", companies, position=10)
    register_source("keys", keys, position=20)
    register_source("providers", providers, position=30)


def companies(user: User, words: Words) -> Iterable[Found]:
    if not user.has_perm(SEE_PROVIDERS):
        return
    for company in Company.objects.filter(_all_of(words, "name")).order_by("archived_at", "name")[:MOST_OF_A_KIND]:
        yield Found("Companies", company.name, company.get_absolute_url(), "Archived" if company.archived_at else "")


def keys(user: User, words: Words) -> Iterable[Found]:
    """Nothing without a word: there are hundreds of them."""
    if not words or not user.has_perm(SEE_PROVIDERS):
        return
    rows = Project.objects.filter(_all_of(words, "name", "label", "hint")).select_related("provider")
    for project in rows.order_by("deleted_at", "name", "pk")[:MOST_OF_A_KIND]:
        yield Found("API keys", project.display_name, project.get_absolute_url(), project.provider.name)


def providers(user: User, words: Words) -> Iterable[Found]:
    if not user.has_perm(SEE_PROVIDERS):
        return
    for provider in Provider.objects.filter(_all_of(words, "name")).order_by("name")[:MOST_OF_A_KIND]:
        yield Found("LLM Providers", provider.name, provider.get_absolute_url())


def _all_of(words: Words, *fields: str) -> Q:
    """Every word is in one of the fields."""
    return reduce(
        and_, (Q(*((f"{field}__icontains", word) for field in fields), _connector=Q.OR) for word in words), Q()
    )

"""Usernames: which new ones are allowed, and which user a typed one means.

Every person has one key, unique in the database, that is the same for all spellings of the name: in capitals, in
letters of another width. New names are ASCII, so that no two of them look alike and are not.
"""

from __future__ import annotations

import re
import unicodedata

from django.contrib.auth.models import User
from django.db.models import Q

from accounts.models import Membership

_NOT_IN_A_NAME = re.compile(r"[^\w.@+-]", re.ASCII)


def name_key(username: str) -> str:
    """The same for every spelling. (Twice, because capitals can hide what the first pass would have changed.)"""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())


def find_person(typed: str) -> User | None:
    """Who is called so, active or not.

    In databases from before names had keys two people may differ in capitals alone. One of them has the key, each other
    one the name as it is spelled: spelled so it is theirs.
    """
    exactly, in_any_spelling = unicodedata.normalize("NFKC", typed), name_key(typed)
    memberships = Membership.objects.select_related("user").filter(name_key__in=[exactly, in_any_spelling])
    people = {membership.name_key: membership.user for membership in memberships}
    return people.get(exactly) or people.get(in_any_spelling)


def is_taken(username: str) -> bool:
    return Membership.objects.filter(Q(name_key=name_key(username)) | Q(user__username__iexact=username)).exists()


def free_name_for(email: str) -> str:
    """The address itself, or with a number behind it where that name is taken."""
    local, _at, domain = email.rpartition("@")
    wanted = _NOT_IN_A_NAME.sub("_", f"{local}@{domain.encode('idna').decode()}")[:140]
    username, number = wanted, 1
    while is_taken(username):
        number += 1
        username = f"{wanted}-{number}"
    return username

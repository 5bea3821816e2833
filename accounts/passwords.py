"""Refuses passwords that are easy to guess here but are on no list of common ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from providers import registry

OURS = ("administrate", "administrator", "admin")

# Of a host's or a person's name; shorter words are parts of too many others.
SHORTEST_WORD = 4

# Letters and what is typed for them: none makes a word another one.
_ALIKE = str.maketrans("013457@$!|l", "oieastasiii")


class NamesValidator:
    """Names of this product, of what it reads, of this site and of the person don't count as part of a password.

    What is left without them, and without what separates words, must be long enough.
    """

    def __init__(self, min_length: int = 8) -> None:
        self.min_length = min_length

    def validate(self, password: str, user: User | None = None) -> None:
        rest = _plain(password)
        for name in sorted({_plain(name) for name in _names(user)}, key=len, reverse=True):
            rest = rest.replace(name, "")
        if len(rest) < self.min_length and len(rest) < len(_plain(password)):
            raise ValidationError(self.get_help_text(), code="password_of_names")

    def get_help_text(self) -> str:
        return (
            "Names of this product, this site and yourself don't count: "
            f"the password needs at least {self.min_length} other letters and digits."
        )


def _names(user: User | None) -> Iterator[str]:
    """Everything that has one of these beside it, too: of "costs.example.com" costs and example."""
    yield from OURS
    for provider_type in registry.all_types():
        yield provider_type.label
        yield from re.findall(r"[A-Z][a-z]{3,}", provider_type.label)  # "Eleven" and "Labs"
    theirs = [user.username, user.email, user.first_name, user.last_name] if user else []
    for text in [settings.OIDC_NAME, *settings.ALLOWED_HOSTS, *theirs]:
        yield from (word for word in re.split(r"[\W_]+", text) if len(word) >= SHORTEST_WORD)


def _plain(text: str) -> str:
    """Letters and digits alone, in one case, and one way of writing each."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_ALIKE)
    return "".join(character for character in folded if character.isalnum())

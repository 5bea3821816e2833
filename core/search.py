"""What can be found by its name from anywhere: each app registers what it has, and one page and one palette show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Of one kind, and of a word's letters: what can be read at a glance.
MOST_OF_A_KIND = 8
LONGEST_QUERY = 100


@dataclass(frozen=True)
class Found:
    """Something that a person may open."""

    kind: str  # the heading that it stands under: "Companies"
    label: str
    url: str
    note: str = ""  # what tells it apart from others of the same name


# Takes who is looking, and the words that they typed, folded; returns at most MOST_OF_A_KIND of what they may open.
Source = Callable[["User", tuple[str, ...]], Iterable[Found]]

_sources: dict[str, tuple[int, Source]] = {}


def register_source(name: str, source: Source, *, position: int) -> None:
    """Let ``source`` answer searches; called once by the app it belongs to, from its AppConfig.ready()."""
    _sources[name] = (position, source)


def find(user: User, query: str) -> list[Found]:
    """What ``user`` may open and ``query`` names, kind by kind."""
    words = tuple(query[:LONGEST_QUERY].casefold().split())
    ordered = sorted(_sources.values(), key=lambda entry: entry[0])
    return [found for _position, source in ordered for found in source(user, words)]


def fits(words: Iterable[str], *texts: str) -> bool:
    """Whether every word is in one of the texts; for what is not in the database."""
    text = " ".join(texts).casefold()
    return all(word in text for word in words)

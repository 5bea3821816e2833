"""Which client a key or an agent is for, as far as its name says: "Harbor Clinic – reminders", "acme_prod_tts".

Only suggestions are made of this. Names are read as they are written: a first part before a separator, without words
that say what a key does or where it runs. What a name does not say is not guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

_Item = TypeVar("_Item")

# Say what something is for or where it runs, not whose it is.
# fmt: off
_USE = frozenset((
    "agent", "agents", "api", "app", "asr", "backup", "bot", "calls", "dev", "development", "eu", "ivr", "key",
    "keys", "live", "main", "new", "old", "phone", "prod", "production", "qa", "speech", "stage", "staging", "stt",
    "support", "test", "testing", "tests", "tts", "uat", "us", "v1", "v2", "v3", "voice", "web", "widget",
))
# fmt: on
# The agency's own: listed, and not ticked.
_OWN = frozenset(["internal", "sandbox", "demo", "playground", "personal", "private"])

# Between words with blanks around it, or a colon or a bar after a word: "Globex: IVR", "Globex | IVR".
_SEPARATOR = re.compile(r"\s+[–—\-/·|>]+\s+|\s*[:|]\s+|\s*::\s*|\s*[–—]\s*")
_JOINER = re.compile(r"[_.\-]+")


@dataclass(frozen=True)
class Client(Generic[_Item]):
    """A client that names suggest, with what is for it."""

    name: str
    items: tuple[_Item, ...]
    prefix: str  # with which all of its names and none of the others begin; empty where there is none
    is_own: bool = False  # rather the agency itself


def clients_in(named: Iterable[tuple[_Item, str]], *, known: Iterable[str] = ()) -> list[Client[_Item]]:
    """The clients that these names suggest, by name; ``known`` are companies that there are, which win over spellings.

    Whatever suggests none is left out.
    """
    items = list(named)
    heads = {_folded(name): name for name in known}
    of_client: dict[str, list[tuple[_Item, str]]] = defaultdict(list)
    spellings: dict[str, list[str]] = defaultdict(list)
    undecided = []
    for item, name in items:
        head = _head(name)
        if head and (key := _folded(head)):
            of_client[key].append((item, name))
            spellings[key].append(head)
        else:
            undecided.append((item, name))
    for item, name in undecided:
        if key := _begins_with(name, {*of_client, *heads}):
            of_client[key].append((item, name))
    _join_longer(of_client, spellings, heads)
    everything = [name for _item, name in items]
    found = [
        Client(
            name=heads.get(key) or _spelt(spellings[key]),
            items=tuple(item for item, _name in of_items),
            prefix=_prefix(key, [name for _item, name in of_items], everything),
            is_own=bool({word.casefold() for word in _spelt(spellings[key] or [key]).split()} & _OWN),
        )
        for key, of_items in of_client.items()
    ]
    return sorted(found, key=lambda client: (client.is_own, client.name.casefold()))


def _head(name: str) -> str:
    """The first part of a name that says whose it is; empty where there is no part."""
    name = " ".join(name.split())
    parts = _SEPARATOR.split(name)
    if len(parts) > 1:
        return next((head for part in parts[:2] if (head := _without_use(part.split()))), "")
    if " " in name:
        words = name.split()
        head = _without_use(words)
        return head if head and head != name else ""
    tokens = [token for token in _JOINER.split(name) if token]
    if len(tokens) < 2:
        return ""
    return next((token for token in tokens if token.casefold() not in _USE and not token.isdigit()), "")


def _without_use(words: Sequence[str]) -> str:
    """Without the words at the end that say what it is for; nothing where that is all of them."""
    kept = list(words)
    while kept and kept[-1].casefold().strip("()") in _USE:
        kept.pop()
    return " ".join(kept)


def _begins_with(name: str, keys: Iterable[str]) -> str:
    """The longest of the clients with whose whole words the name begins."""
    words = [_folded(word) for word in re.split(r"[\s_.\-]+", name)]
    beginnings = {"".join(words[:number]) for number in range(1, len(words) + 1)}
    return max((key for key in keys if key in beginnings), key=len, default="")


def _join_longer(
    of_client: dict[str, list[tuple[_Item, str]]], spellings: Mapping[str, list[str]], heads: Mapping[str, str]
) -> None:
    """ "harbor" of "harbor-clinic-ivr" belongs to "Harbor Clinic", where other names say so."""
    for key in list(of_client):
        rest = []
        for item, name in of_client[key]:
            longer = _begins_with(name, {other for other in {*spellings, *heads} if len(other) > len(key)})
            if longer:
                of_client[longer].append((item, name))
            else:
                rest.append((item, name))
        if rest:
            of_client[key] = rest
        else:
            del of_client[key]


def _spelt(heads: Sequence[str]) -> str:
    """As people would write it: the spelling with capitals, else one with capitals added."""
    best = max(heads, key=lambda head: (head != head.lower(), " " in head, heads.count(head)))
    return best if best != best.lower() else " ".join(word[:1].upper() + word[1:] for word in best.split())


def _prefix(key: str, names: Sequence[str], everything: Sequence[str]) -> str:
    """What a rule can go by: it begins all of ``names``, holds the whole client, and begins no other name."""
    first = min(names, key=len)
    length = 0
    while length < len(first) and all(
        name[length : length + 1].casefold() == first[length].casefold() for name in names
    ):
        length += 1
    # To the end of the client's own words, and no further: later words are about the single key.
    prefix = next((first[:end] for end in range(1, length + 1) if _folded(first[:end]) == key), "")
    if not prefix:
        return ""
    mark = re.match(r"\s*[–—\-/·|>:_.]+", first[len(prefix) : length])
    prefix += mark[0] if mark else ""
    others = [name for name in everything if name not in names]
    return "" if any(name.casefold().startswith(prefix.casefold()) for name in others) else prefix


def _folded(text: str) -> str:
    """Without capitals, blanks and signs: by it spellings are the same."""
    return "".join(character for character in text.casefold() if character.isalnum())

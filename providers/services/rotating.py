"""Encrypting anew, with the first of ENCRYPTION_KEYS, everything that was encrypted with another one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from core.secrets import KeyUnreadableError, reencrypt
from providers.models import Provider


@dataclass(frozen=True)
class StoredToken:
    """One token of core.secrets.encrypt() where it lies.

    ``owner`` names it to a person. ``replace`` stores another token if this one is still stored, in one step, and
    says whether it did.
    """

    owner: str
    token: str
    replace: Callable[[str], bool]


Store: TypeAlias = Callable[[], Iterable[StoredToken]]


@dataclass
class Rotation:
    """What became of the tokens of one store."""

    store: str
    rotated: int = 0
    current: int = 0
    unreadable: list[str] = field(default_factory=list)


def provider_keys() -> Iterator[StoredToken]:
    """The API key of every provider that has one: a disconnected one gave it up."""
    for pk, name, token in Provider.objects.exclude(encrypted_key="").values_list("pk", "name", "encrypted_key"):

        def replace(new: str, pk: int = pk, old: str = token) -> bool:
            return Provider.objects.filter(pk=pk, encrypted_key=old).update(encrypted_key=new) == 1

        yield StoredToken(f"the API key of “{name}”", token, replace)


_stores: dict[str, Store] = {"API keys": provider_keys}


def register_store(name: str, store: Store) -> None:
    """Let an app above this one have its tokens rotated too; ``name`` is a plural for people."""
    _stores[name] = store


def rotate_encryption_keys() -> Iterator[Rotation]:
    """Encrypt anew, store by store, what is not encrypted with the first key.

    Each token is its own step: an interruption leaves every one readable, and repeating goes on where it ended. A
    token that is replaced meanwhile keeps its new value. What no key can decrypt is reported and left as it is.
    """
    for name, store in _stores.items():
        rotation = Rotation(name)
        for stored in store():
            try:
                new = reencrypt(stored.token)
            except KeyUnreadableError:
                rotation.unreadable.append(stored.owner)
                continue
            if new is not None and stored.replace(new):
                rotation.rotated += 1
            else:
                rotation.current += 1
        yield rotation

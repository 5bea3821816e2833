"""Where an endpoint may be: an address on the public internet, unless the environment allows private ones."""

from __future__ import annotations

import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLongError
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from django.conf import settings

LONGEST_URL = 1000

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

# A resolver that hangs must hold no delivery beyond its deadline; its thread ends when the system gives up.
_resolving = ThreadPoolExecutor(max_workers=8, thread_name_prefix="resolving")


class RefusedDestinationError(Exception):
    """The address can't be called; the text is for the person."""


@dataclass(frozen=True)
class Destination:
    host: str
    port: int


def read_url(url: str) -> Destination:
    """The host and port of ``url``, as far as can be said without resolving; raises RefusedDestinationError."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise RefusedDestinationError("This is not an address that can be called.") from None
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http") or not host or len(url) > LONGEST_URL or not url.isprintable():
        raise RefusedDestinationError("Enter an address that begins with https://.")
    if parts.username is not None or parts.password is not None:
        raise RefusedDestinationError("The address must not hold a user name or a password.")
    if parts.scheme == "http" and not settings.ALLOW_PRIVATE_WEBHOOKS:
        raise RefusedDestinationError("Enter an address that begins with https://: http can be read on the way.")
    if (literal := _literal(host)) is not None:
        _refuse_private(literal)
    elif host == "localhost" or host.endswith(".localhost"):
        _refuse_private(ipaddress.ip_address("127.0.0.1"))
    return Destination(host, port)


def resolve(destination: Destination, *, seconds: float) -> str:
    """The address to connect to; raises RefusedDestinationError where the name has none, or any that is not public."""
    asked = _resolving.submit(socket.getaddrinfo, destination.host, destination.port, type=socket.SOCK_STREAM)
    try:
        answers = asked.result(timeout=seconds)
    except (OSError, UnicodeError):
        raise RefusedDestinationError("The name of the host could not be resolved.") from None
    except TookTooLongError:
        asked.cancel()
        raise RefusedDestinationError("The name of the host was not resolved in time.") from None
    addresses = [str(answer[4][0]) for answer in answers]
    for address in addresses:
        _refuse_private(ipaddress.ip_address(address.partition("%")[0]))
    return addresses[0]


def _literal(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _refuse_private(address: _Address) -> None:
    if not settings.ALLOW_PRIVATE_WEBHOOKS and not all(_is_public(one) for one in (address, *_inside(address))):
        raise RefusedDestinationError(
            "The address is not on the public internet. Private addresses are called only where the environment has "
            "ALLOW_PRIVATE_WEBHOOKS=true."
        )


def _is_public(address: _Address) -> bool:
    is_site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local  # global to Python
    return address.is_global and not address.is_multicast and not address.is_reserved and not is_site_local


def _inside(address: _Address) -> list[_Address]:
    """The IPv4 addresses that an IPv6 one leads to."""
    if not isinstance(address, ipaddress.IPv6Address):
        return []
    inner: list[_Address] = [one for one in (address.ipv4_mapped, address.sixtofour) if one is not None]
    if address.teredo:
        inner += address.teredo
    if address in _NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return inner

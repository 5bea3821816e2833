"""From which address a request comes: what throttles count by and the session list shows."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TypeAlias

from django.conf import settings
from django.http import HttpRequest

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

# Of whom the server knows no address. They share it, and with it one throttle.
UNKNOWN = ipaddress.IPv4Address(0)


def client_address(request: HttpRequest) -> str:
    """The address nearest to the client that can be believed.

    The connection's own, unless that is one of TRUSTED_PROXIES. Then X-Forwarded-For is read from its end: each proxy
    appends whom it heard from, so what a trusted one wrote is true, and everything before the first address that is not
    a trusted proxy's could have been sent by anybody.
    """
    address = _parse(request.META.get("REMOTE_ADDR", ""))
    if address is None:
        return str(UNKNOWN)
    for text in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if not _is_trusted(address, settings.TRUSTED_PROXIES):
            break
        before = _parse(text)
        if before is None:
            break
        address = before
    return str(address)


def network_of(address: str) -> str:
    """What one visitor can choose from: of IPv6 the /64."""
    parsed = ipaddress.ip_address(address)
    return address if parsed.version == 4 else str(ipaddress.IPv6Address(int(parsed) >> 64 << 64))


def untrusted_forwarder(request: HttpRequest) -> str:
    """Who says that it speaks for others and is not believed: the address that TRUSTED_PROXIES may lack, or nothing."""
    address = _parse(request.META.get("REMOTE_ADDR", ""))
    if address is None or "X-Forwarded-For" not in request.headers or _is_trusted(address, settings.TRUSTED_PROXIES):
        return ""
    return str(address)


def _is_trusted(address: Address, proxies: Sequence[Network]) -> bool:
    return any(address in network for network in proxies)


def _parse(text: str) -> Address | None:
    """Also with a port, as some proxies write it; an IPv4 address in IPv6 clothes is the IPv4 address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address

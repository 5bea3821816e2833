"""Whose word is believed about where a request comes from."""

from __future__ import annotations

import ipaddress

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from accounts.addresses import client_address

pytestmark = pytest.mark.any_engine


def address(connection: str, forwarded: str | None = None) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=connection, headers=headers))


@pytest.fixture
def proxies(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]


def test_without_trusted_proxies_the_header_says_nothing() -> None:
    """Anybody can send it."""
    assert address("203.0.113.9", "198.51.100.1") == "203.0.113.9"


@pytest.mark.parametrize(
    ("connection", "forwarded", "believed"),
    [
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        # What stands before the first stranger, the stranger has written.
        ("10.0.0.1", "192.0.2.66, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "10.9.9.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        # Nobody but proxies: the farthest of them.
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        # Not a proxy of ours: its header is its own invention.
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        # With a port, as some proxies write it.
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("fd00::1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        # IPv4 in IPv6 clothes is the same address.
        ("::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
    ],
)
def test_trusted_proxies_are_believed_and_nobody_before_them(
    proxies: None, connection: str, forwarded: str | None, believed: str
) -> None:
    """From the right, up to the first address that is not a proxy's."""
    assert address(connection, forwarded) == believed


@pytest.mark.parametrize("connection", ["", "unix:", "not-an-address"])
def test_a_connection_without_an_address_is_one_of_the_unknown(proxies: None, connection: str) -> None:
    """They share an address, so that they share a throttle; what they say of themselves is not believed."""
    assert address(connection, "198.51.100.1") == "0.0.0.0"

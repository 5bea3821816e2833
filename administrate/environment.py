"""The environment, in which any variable's value may lie in a file: SECRET_KEY_FILE=/run/secrets/secret_key.

That keeps secrets out of process lists, container descriptions and crash reports.
"""

from __future__ import annotations

import ipaddress
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping


class _Files(FileAwareMapping):  # type: ignore[misc]  # django-environ ships no types
    """os.environ; a variable whose name with _FILE names a file is that file's text, without a newline at its end."""

    def __getitem__(self, name: str) -> str:
        try:
            value: str = super().__getitem__(name)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise ImproperlyConfigured(
                f"{name}_FILE names {self.env[f'{name}_FILE']}, which can't be read: {reason}."
            ) from None
        return value.rstrip("\r\n")


class Environment(environ.Env):  # type: ignore[misc]
    ENVIRON: ClassVar[_Files] = _Files()

    def int(self, var: str, default: Any = environ.Env.NOTSET) -> int:
        """A whole number; raises ImproperlyConfigured with a sentence where it is none."""
        try:
            value: int = super().int(var, default)
        except ValueError:
            raise ImproperlyConfigured(f"{var} must be a whole number, not “{self.ENVIRON[var]}”.") from None
        return value

    def int_between(self, var: str, default: Any, least: Any, most: Any, unit: str = "") -> Any:
        """A whole number from ``least`` to ``most``; raises ImproperlyConfigured with a sentence where it is none."""
        value = self.int(var, default)
        if not least <= value <= most:
            raise ImproperlyConfigured(f"{var} must be between {least} and {most}{unit}, not {value}.")
        return value

    def days_or_for_ever(self, var: str, default: Any) -> Any:
        """Days, of which 0 stands for keeping for ever; else as int_between()."""
        return self.int(var, default) and self.int_between(var, default, 1, 36_500, " days, or 0 to keep for ever")

    def networks(self, var: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """Addresses and networks, separated by commas; raises ImproperlyConfigured where one is neither."""
        result = []
        for text in self.list(var, default=[]):
            try:
                result.append(ipaddress.ip_network(text.strip(), strict=False))
            except ValueError:
                raise ImproperlyConfigured(
                    f"{var} holds {text!r}, which is neither an address nor a network like 10.0.0.0/8."
                ) from None
        return result


def is_https_or_loopback(address: str) -> bool:
    """Whether what is sent to ``address`` can't be read on the way."""
    parts = urlsplit(address)
    loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and loopback))


def with_password(address: str, password: str) -> str:
    """``address`` with this password, where there are both; apart from it, it may come from a file."""
    if not address or not password:
        return address
    parts = urlsplit(address)
    user, _at, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}:{quote(password, safe='')}@{host}").geturl()

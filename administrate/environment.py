"""The environment, in which any variable's value may lie in a file: SECRET_KEY_FILE=/run/secrets/secret_key.

That keeps secrets out of process lists, container descriptions and crash reports.
"""

from __future__ import annotations

from typing import Any, ClassVar

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

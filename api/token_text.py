"""How a token is written: ``adm_<8>_<43><8>`` – its public id, 32 random bytes in base64url, and a CRC-32 in hex.

The checksum lets secret scanners tell a token from a look-alike, and lets us refuse nonsense without a query. The
secret has 256 bits, so a fast digest keeps it.
"""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32

_ALPHABET = string.ascii_letters + string.digits
_FORM = re.compile(
    r"(?P<body>adm_(?P<public_id>[A-Za-z0-9]{8})_(?P<secret>[A-Za-z0-9_-]{43}))(?P<checksum>[0-9a-f]{8})"
)


@dataclass(frozen=True, repr=False)
class TokenText:
    public_id: str
    secret: str

    @property
    def clear(self) -> str:
        """As its owner gets it, once."""
        body = f"adm_{self.public_id}_{self.secret}"
        return f"{body}{_checksum(body)}"

    @property
    def digest(self) -> str:
        return sha256(self.secret.encode()).hexdigest()


def make_token_text() -> TokenText:
    public_id = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return TokenText(public_id, secrets.token_urlsafe(32))


def read_token_text(text: str) -> TokenText | None:
    """None where ``text`` is no token that we could have made."""
    found = _FORM.fullmatch(text)
    if found is None or _checksum(found["body"]) != found["checksum"]:
        return None
    return TokenText(found["public_id"], found["secret"])


def _checksum(body: str) -> str:
    return f"{crc32(body.encode()):08x}"

"""The embedded default's home folder (DATA_DIR): made on first use, private to its owner, with secrets of its own.

Only settings read this. Production takes its secrets from the environment and has no home folder.
"""

import os
import secrets
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

SECRETS_FILE = "secrets.env"


def prepare_home(data_dir: Path) -> Path:
    """Make the folder (mode 700) and, once, its secrets (mode 600); return the secrets file's path.

    Several first commands may run at once: the file appears whole or not at all, and the first one wins.
    Raises ImproperlyConfigured when the folder can't be made or written, or others may enter it and it is not plainly
    ours to close.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        secrets_file = data_dir / SECRETS_FILE
        _close_to_others(data_dir)
        if not secrets_file.exists():
            _create_once(secrets_file, _new_secrets())
    except OSError as error:
        raise ImproperlyConfigured(f"DATA_DIR {data_dir} can't be used: {error.strerror or error}.") from error
    return secrets_file


def _close_to_others(data_dir: Path) -> None:
    """Set mode 700, unless the folder has another owner or holds other things, so that others may need it."""
    status = data_dir.stat()
    if not status.st_mode & 0o077:
        return
    is_ours = status.st_uid == os.geteuid() and ((data_dir / SECRETS_FILE).exists() or not any(data_dir.iterdir()))
    if not is_ours:
        raise ImproperlyConfigured(
            f"DATA_DIR {data_dir} is open to other users (mode {status.st_mode & 0o777:o}): choose a folder of its "
            "own, or close this one with chmod 700."
        )
    data_dir.chmod(0o700)


def _new_secrets() -> str:
    return (
        "# Made on first use. Whoever reads this file can read the stored API keys; without it they are lost.\n"
        f"SECRET_KEY={secrets.token_urlsafe(50)}\n"
        f"ENCRYPTION_KEYS={Fernet.generate_key().decode()}\n"
    )


def _create_once(target: Path, text: str) -> None:
    """Write ``text`` to ``target`` atomically unless another process already has."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".secrets-")  # mkstemp makes it mode 600
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, target)
        except FileExistsError:
            return
    finally:
        temporary.unlink()

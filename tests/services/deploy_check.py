"""`python -m tests.services.deploy_check`: Django's deployment checks on production settings, with made-up secrets.

Connects to nothing: the addresses below are never opened by a check.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def production_environment() -> dict[str, str]:
    """The variables of a production installation, complete and valid, with secrets that exist nowhere else."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEYS": secrets.token_urlsafe(32) + "=",
        "DEBUG": "False",
        "ALLOWED_HOSTS": "administrate.example",
        "CSRF_TRUSTED_ORIGINS": "https://administrate.example",
        "DATABASE_URL": "postgresql://administrate:secret@127.0.0.1:1/administrate",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "ADMIN_PASSWORD": "",
        "ELEVENLABS_BASE_URL": "",
        "DJANGO_SETTINGS_MODULE": "administrate.settings",
    }


def main() -> int:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=ROOT, env=os.environ | production_environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

"""The embedded settings for tests: fixed environment, a home of its own, and a choice of the database engine.

`TEST_ENGINE` is `sqlite` (the default) or `postgresql`; the latter runs on the server that `TEST_DATABASE_URL` names,
which the pytest plugin starts and sets where it is missing. Nothing of the developer's own `.env` gets in here.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

if "pytest" in sys.modules:
    TEST_HOME = Path(tempfile.mkdtemp(prefix="administrate-tests-"))
    atexit.register(shutil.rmtree, TEST_HOME, ignore_errors=True)
else:
    # mypy, makemigrations and the like read these settings too, and mypy ends without cleaning up.
    TEST_HOME = Path(__file__).resolve().parents[1] / ".pytest_cache" / "home"

TEST_ENGINE = os.environ.get("TEST_ENGINE") or "sqlite"

# Set, also to nothing, so that a .env file can't.
os.environ.update(
    {
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "DEBUG": "False",
        "ALLOWED_HOSTS": "",
        "CSRF_TRUSTED_ORIGINS": "",
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "DATA_DIR": str(TEST_HOME),
        "PORT": "8000",
        "ADMIN_USERNAME": "admin",
        "ADMIN_PASSWORD": "",
        "DATABASE_PASSWORD": "",
        "REDIS_PASSWORD": "",
        "METRICS_TOKEN": "",
        "LOG_FORMAT": "",
        "ELEVENLABS_BASE_URL": "",
        "TRUSTED_PROXIES": "",
        "HSTS_PRELOAD": "",
        "REQUIRE_TWO_FACTOR": "",
        "REQUIRE_TWO_FACTOR_GRACE_DAYS": "7",
        "OIDC_CLIENT_SECRET": "",
        "OIDC_CLIENT_ID": "",
        "OIDC_ISSUER": "",
        "SYNC_BACKFILL_DAYS": "365",
        "SYNC_TRAILING_DAYS": "7",
        "SESSION_IDLE_HOURS": "12",
        "SESSION_MAX_DAYS": "14",
        "AUDIT_KEEP_DAYS": "730",
        "SYNC_RUN_KEEP_DAYS": "90",
        "SITE_URL": "",
        "EMAIL_URL": "",
        "DEFAULT_FROM_EMAIL": "",
        "ALLOW_PRIVATE_WEBHOOKS": "False",
    }
)

from administrate.settings import *  # noqa: E402, F403
from administrate.settings import DATABASES, env  # noqa: E402

# Playwright runs an event loop in the thread of the tests, where Django would otherwise refuse the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

if TEST_ENGINE == "postgresql":
    DATABASES["default"] = env.db_url_config(os.environ["TEST_DATABASE_URL"]) | {"CONN_HEALTH_CHECKS": True}
    # Of its own for each of several runs on one server.
    DATABASES["default"]["TEST"] = {"NAME": os.environ.get("TEST_DATABASE_NAME")}
elif TEST_ENGINE == "sqlite":
    # A file and not the usual in-memory database: only a file has the write-ahead log and the waiting for a lock that
    # the product relies on, and threads of a live server that see it through connections of their own.
    DATABASES["default"]["TEST"] = {"NAME": TEST_HOME / "tests.sqlite3"}
else:
    raise RuntimeError(f"TEST_ENGINE must be sqlite or postgresql, not {TEST_ENGINE}.")

# The real one takes a second on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Every test's client makes the middleware anew, which would list all static files each time.
WHITENOISE_AUTOREFRESH = True

"""The embedded settings with a home of their own; TEST_DATABASE_URL puts the same tests on PostgreSQL."""

import os
import tempfile

for name in ("DATABASE_URL", "REDIS_URL", "ELEVENLABS_BASE_URL", "ADMIN_PASSWORD"):
    os.environ[name] = ""
os.environ.setdefault("ADMINISTRATE_TEST_HOME", tempfile.mkdtemp(prefix="administrate-tests-"))
os.environ["DATA_DIR"] = os.environ["ADMINISTRATE_TEST_HOME"]

from administrate.settings import *  # noqa: E402, F403

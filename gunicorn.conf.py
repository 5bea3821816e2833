"""gunicorn's settings, which it reads from the folder it is started in. Words on its command line win over them."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from administrate.environment import Environment

env = Environment()

# A request that takes longer has lost its reader.
timeout = 60
# The sign of life of each web process is a file; on a disk its writing may stall. It is without content.
worker_tmp_dir = str(_memory) if (_memory := Path("/dev/shm")).is_dir() else None  # noqa: S108 # nosec B108

# Nobody steers it while it runs, and its folder can't be written.
control_socket_disable = True

# Each request's line comes from administrate.requests, with its id; gunicorn's own goes the same way.
accesslog = None
# For who switches it on all the same: without the query, cookies and where somebody came from.
access_log_format = '%(h)s %(t)s "%(m)s %(U)s %(H)s" %(s)s %(b)s %(M)s ms'
logconfig_dict = {
    "formatters": {
        "line": {"()": "administrate.logs.LineFormatter"},
        "json": {"()": "administrate.logs.JsonFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": env.str("LOG_FORMAT", "") or "json"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": ["console"], "propagate": False}},
}

# The processes add up their measurements in files of this folder (administrate.metrics).
_made = "" if "PROMETHEUS_MULTIPROC_DIR" in os.environ else tempfile.mkdtemp(prefix="administrate-metrics-")
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", _made)


def child_exit(_server: Any, worker: Any) -> None:
    """What a process has counted stays; what it measured of the moment goes with it."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    if _made:
        shutil.rmtree(_made, ignore_errors=True)

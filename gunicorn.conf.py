"""gunicorn's settings, which it reads from the folder it is started in. Words on its command line win over them."""

import atexit
import os
import shutil
import socket
import struct
import tempfile
from pathlib import Path
from typing import Any

from administrate.environment import Environment
from administrate.large_answers import SMALL, THREADS

env = Environment()

# Threads, because whoever reads slowly holds one (administrate.large_answers).
worker_class = "gthread"
threads = THREADS
# Loaded once, before the web processes are forked, which then share its memory and begin at once.
preload_app = True
# A process that gives no sign of life for so long is replaced.
timeout = 60
# What visitors send about themselves counts for nothing: by SCRIPT_NAME they would move the path past a proxy's rules.
forwarder_headers = ""
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


def _remove(folder: str, *, of: int) -> None:
    """At the end of the process that made it, also where that could load nothing; not of those forked of it."""
    if os.getpid() == of:
        shutil.rmtree(folder, ignore_errors=True)


# The processes add up their measurements in files of this folder (administrate.metrics).
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="administrate-metrics-")
    atexit.register(_remove, os.environ["PROMETHEUS_MULTIPROC_DIR"], of=os.getpid())


def when_ready(server: Any) -> None:
    """Connections inherit what their listener has: room for a small answer, and an end for who reads nothing at all."""
    for listener in server.LISTENERS:
        # The kernel counts its own records of what it keeps as well.
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * SMALL)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", timeout, 0))


def child_exit(_server: Any, worker: Any) -> None:
    """What a process has counted stays; what it measured of the moment goes with it."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]

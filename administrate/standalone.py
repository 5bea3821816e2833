"""Everything in one process: the web server in a thread, beat in a thread, the worker's thread pool in the main thread.

Meant for the embedded default, whose queue lives in this process's memory. The same tasks and the same pages run in
separate processes in production.
"""

from __future__ import annotations

import errno
import fcntl
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import waitress
from celery.beat import EmbeddedService
from celery.exceptions import SecurityWarning
from celery.signals import worker_ready
from django.conf import settings
from waitress import wasyncore

from administrate.celery import app
from administrate.large_answers import THREADS
from administrate.wsgi import application

HOST = "127.0.0.1"
WORKER_THREADS = 4


# Set by a stop signal that comes before the worker listens for it.
_stop_wanted = threading.Event()


class AlreadyRunningError(Exception):
    """The home folder or the port is in use; the text is for the person."""


@contextmanager
def sole_use_of_home() -> Iterator[None]:
    """Keep a second process from running on the same DATA_DIR; raises AlreadyRunningError."""
    with (settings.DATA_DIR / "run.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunningError(f"Administrate is already running on {settings.DATA_DIR}.") from None
        yield


@contextmanager
def web_server() -> Iterator[Callable[[], None]]:
    """Take the loopback address at PORT and give what starts serving on it.

    Raises AlreadyRunningError when it is taken. Connections made in between wait: whoever finds the product ready finds
    its first admin too.
    """
    try:
        server = waitress.create_server(
            application,
            host=HOST,
            port=settings.PORT,
            threads=THREADS,
            ident="",
            # It stores what it receives before anybody may refuse it; a little more than that lets our page say so.
            max_request_body_size=4 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        )
    except OSError as error:
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"can't be used ({error.strerror})"
        raise AlreadyRunningError(f"Port {settings.PORT} {reason}. Set another one: PORT=8001 make run") from None
    thread = threading.Thread(target=server.run, name="web", daemon=True)
    try:
        yield thread.start
    finally:
        server.task_dispatcher.shutdown()
        if thread.is_alive():
            # The sockets are closed by the thread that waits on them; requests that still run have had their time.
            server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map, ignore_all=True))
            thread.join(timeout=5)
        else:
            server.close()


def remember_stop_signals() -> None:
    """Until the worker listens for SIGINT and SIGTERM itself, keep in mind that one came.

    An exception raised by a signal handler may land where Python ignores it, and the signal would be lost.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_signal: _stop_wanted.set())


def work_until_stopped() -> None:
    """Run worker and beat until SIGINT or SIGTERM; a sync that runs then goes back to the queue."""
    # Celery warns root against workers that load pickled messages; ours accept JSON only.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    beat: Any = EmbeddedService(app, thread=True, scheduler_cls=app.conf.beat_scheduler)
    worker = app.Worker(
        pool="threads",
        concurrency=WORKER_THREADS,
        quiet=True,
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )

    def begin(**_signal: object) -> None:
        beat.start()
        if _stop_wanted.is_set():
            signal.raise_signal(signal.SIGTERM)  # once more: now the worker hears it

    worker_ready.connect(begin, weak=False)
    if _stop_wanted.is_set():
        return
    try:
        worker.start()
    finally:
        # Not waited for: it sleeps until something is due, and keeps nothing that would have to be saved.
        beat.service.stop()

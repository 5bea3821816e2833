"""The simulator that this process runs for its own use, started when it is first needed.

Web, worker and command-line processes each have their own on a free port; since the data are deterministic they all
say the same.
"""

import atexit
import os
import threading
from datetime import UTC, date, datetime

from elevenlabs_sync.simulator.server import SimulatorServer
from elevenlabs_sync.simulator.workspace import Agents, SimulatedWorkspace


class _Holder:
    """This process's server, if any."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.server: SimulatorServer | None = None
        self.connected_on: date | None = None


_holder = _Holder()


def workspace_today() -> SimulatedWorkspace:
    """The simulated workspace as it is now, so that a long-lived server rolls over at midnight UTC.

    It had an incident just before it was connected, for alerts to find; that day is today as long as it is none.
    """
    today = datetime.now(UTC).date()
    return SimulatedWorkspace(today, agents=Agents.TOLD, incident_before=_holder.connected_on or today)


def ensure_running(connected_on: date | None = None) -> str:
    """The base URL of this process's simulator, which is started if it isn't running yet; safe from any thread.

    Whoever reads for a connected workspace says since when it is connected: its history is the same for ever then.
    """
    with _holder.lock:
        _holder.connected_on = connected_on or _holder.connected_on
        if _holder.server is None:
            server = SimulatorServer(workspace_today)
            server.start()
            _holder.server = server
        return _holder.server.base_url


def stop_running() -> None:
    """Stops this process's simulator, if it runs; also done when the process ends."""
    with _holder.lock:
        _holder.connected_on = None
        if _holder.server is not None:
            _holder.server.stop()
            _holder.server = None


def _forget_after_fork() -> None:
    """A forked child (a prefork worker) has the parent's socket but not its threads: it starts its own when needed."""
    _holder.lock = threading.Lock()
    if _holder.server is not None:
        _holder.server.close_after_fork()
        _holder.server = None


atexit.register(stop_running)
os.register_at_fork(after_in_child=_forget_after_fork)

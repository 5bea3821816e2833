"""A simulated ElevenLabs workspace: a small loopback HTTP server with deterministic data and the real API's answers.

The demo, the "Try it with a simulated workspace" button and the tests talk to it exactly as they would to the real
service. It is standard library only and knows nothing of Django, Celery or any other package of this project; the
client that reads these answers lives in `elevenlabs_sync`, never here.
"""

from elevenlabs_sync.simulator.access import (
    ALL_PERMISSIONS,
    RESTRICTED_API_KEY,
    SIMULATED_API_KEY,
    USAGE_ONLY_API_KEY,
)
from elevenlabs_sync.simulator.running import ensure_running, stop_running
from elevenlabs_sync.simulator.server import RecordedRequest, SimulatorServer
from elevenlabs_sync.simulator.workspace import SimulatedWorkspace, Totals, UsageRow

__all__ = [
    "ALL_PERMISSIONS",
    "RESTRICTED_API_KEY",
    "SIMULATED_API_KEY",
    "USAGE_ONLY_API_KEY",
    "RecordedRequest",
    "SimulatedWorkspace",
    "SimulatorServer",
    "Totals",
    "UsageRow",
    "ensure_running",
    "stop_running",
]

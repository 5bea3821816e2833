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
    key_of,
    keys_of,
)
from elevenlabs_sync.simulator.billing import Billing, Cost, Credits, Moved
from elevenlabs_sync.simulator.running import ensure_running, stop_running
from elevenlabs_sync.simulator.server import SimulatorServer
from elevenlabs_sync.simulator.usage import Totals, UsageRow
from elevenlabs_sync.simulator.workspace import SimulatedWorkspace
from tests.simulation.edits import Edit, WorkspaceEdits
from tests.simulation.recording import RecordedRequest

__all__ = [
    "ALL_PERMISSIONS",
    "RESTRICTED_API_KEY",
    "SIMULATED_API_KEY",
    "USAGE_ONLY_API_KEY",
    "Billing",
    "Cost",
    "Credits",
    "Edit",
    "Moved",
    "RecordedRequest",
    "SimulatedWorkspace",
    "SimulatorServer",
    "Totals",
    "UsageRow",
    "WorkspaceEdits",
    "ensure_running",
    "key_of",
    "keys_of",
    "stop_running",
]

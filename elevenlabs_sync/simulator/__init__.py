"""A simulated ElevenLabs workspace: a small loopback HTTP server with deterministic data and the real API's answers.

The demo and the "Try it with a simulated workspace" button talk to it exactly as they would to the real service. It is
standard library only and knows nothing of Django, Celery or any other package of this project; the client that reads
these answers lives in `elevenlabs_sync`, never here. It always answers well: who wants another truth subclasses
`SimulatedWorkspace`, and who wants other answers subclasses `SimulatorServer`.
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
from elevenlabs_sync.simulator.workspace import Agents, SimulatedWorkspace

__all__ = [
    "ALL_PERMISSIONS",
    "RESTRICTED_API_KEY",
    "SIMULATED_API_KEY",
    "USAGE_ONLY_API_KEY",
    "Agents",
    "Billing",
    "Cost",
    "Credits",
    "Moved",
    "SimulatedWorkspace",
    "SimulatorServer",
    "Totals",
    "UsageRow",
    "ensure_running",
    "key_of",
    "keys_of",
    "stop_running",
]

"""The simulated ElevenLabs workspace as tests need it: its truth can be edited, and its server misbehaves on command.

    workspace = EditedWorkspace(date(2026, 9, 20))
    with FaultySimulator(workspace) as server:
        workspace.edits.add(Hide())
        server.faults.add("/v1/workspace", faults.ErrorStatus(429), times=2)

Everything plugs into what the product ships as its demo, `elevenlabs_sync.simulator`, which knows nothing of it.
`python -m tests.simulation` is the same as a process of its own.
"""

from tests.simulation.edits import Edit, WorkspaceEdits
from tests.simulation.server import FaultySimulator
from tests.simulation.workspace import EditedWorkspace

__all__ = ["Edit", "EditedWorkspace", "FaultySimulator", "WorkspaceEdits"]

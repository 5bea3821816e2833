"""The fixtures of the simulator that ships."""

from tests.elevenlabs_sync.simulator.conftest import server, workspace  # noqa: F401

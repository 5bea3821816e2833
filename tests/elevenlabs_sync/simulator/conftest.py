"""A simulated workspace on a fixed day, and a server that serves it."""

from collections.abc import Iterator

import pytest

from elevenlabs_sync.simulator import SimulatedWorkspace, SimulatorServer
from tests.simulation.calls import TODAY


@pytest.fixture
def workspace() -> SimulatedWorkspace:
    return SimulatedWorkspace(TODAY)


@pytest.fixture
def server(workspace: SimulatedWorkspace) -> Iterator[SimulatorServer]:
    with SimulatorServer(workspace) as running:
        yield running

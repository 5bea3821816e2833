"""A workspace on a fixed day whose truth may be edited, and a server of it that may misbehave."""

from collections.abc import Iterator

import pytest

from tests.simulation import EditedWorkspace, FaultySimulator
from tests.simulation.calls import TODAY


@pytest.fixture
def workspace() -> EditedWorkspace:
    return EditedWorkspace(TODAY)


@pytest.fixture
def server(workspace: EditedWorkspace) -> Iterator[FaultySimulator]:
    with FaultySimulator(workspace) as running:
        yield running

"""A simulated workspace whose truth can be changed while a server tells it."""

from collections.abc import Iterable, Iterator
from datetime import date

from elevenlabs_sync.simulator.billing import Billing
from elevenlabs_sync.simulator.cast import SimulatedKey
from elevenlabs_sync.simulator.usage import Used
from elevenlabs_sync.simulator.workspace import DEFAULT_SEED, Agents, SimulatedWorkspace
from tests.simulation.edits import Edit, Place, WorkspaceEdits


class EditedWorkspace(SimulatedWorkspace):
    """A workspace after its `edits`, in answers as in `rows()` and `totals()`.

    Workspaces may share their edits, as those that a server makes anew for each request.
    """

    def __init__(
        self,
        today: date,
        history_days: int = 365,
        *,
        seed: str = DEFAULT_SEED,
        billing: Billing | None = None,
        agents: Agents = Agents.NONE,
        edits: WorkspaceEdits | None = None,
    ) -> None:
        super().__init__(today, history_days, seed=seed, billing=billing, agents=agents)
        self.edits = WorkspaceEdits() if edits is None else edits

    @property
    def cast(self) -> tuple[SimulatedKey, ...]:
        return _edited(super().cast, self.edits)

    @property
    def currency(self) -> str:
        currency = super().currency
        for edit in self.edits:
            currency = edit.currency(currency)
        return currency

    def used(self, start: date, end: date) -> Iterator[Used]:
        edits = tuple(self.edits)
        keys = _edited(super().cast, edits)
        for day in self.days(start, end):
            for key in keys:
                rows = list(self.used_by(key, day))
                place = Place(key, self.key_hash(key), day, self.today)
                for edit in edits:
                    rows = edit.rows(rows, place)
                yield from (row for row in rows if row.credits or row.minutes or row.requests or row.cost)


def _edited(keys: tuple[SimulatedKey, ...], edits: Iterable[Edit]) -> tuple[SimulatedKey, ...]:
    for edit in edits:
        keys = edit.keys(keys)
    return keys

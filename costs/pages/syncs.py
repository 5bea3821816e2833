"""Syncing on a provider's page: its state, what to do now, and the history of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.cells import Cell, from_template
from core.days import DateRange
from core.tables import Column, Row, Table
from core.wording import count, duration, joined, moment
from costs.pages.notices import KEY_FAILURES
from providers.models import Provider, SyncRun
from providers.progress import Step, steps

HISTORY_COLUMNS = (
    Column("Started (UTC)", is_number=False, css="nowrap"),
    Column("Why", is_number=False, css="nowrap"),
    Column("Took", is_number=False, css="nowrap"),
    Column("Days", is_number=False, css="nowrap", in_file=False),
    Column("Rows", is_number=False, css="nowrap", in_file=False),
    Column("First day", is_number=False, on_page=False),
    Column("Last day", is_number=False, on_page=False),
    *(Column(f"Rows {done}", on_page=False) for done in ("read", "inserted", "changed", "unchanged")),
    Column("Result", is_number=False),
    Column("Error", is_number=False, on_page=False),
)


def history_table(runs: Iterable[SyncRun], *, csv_url: str) -> Table:
    """How ``runs``, the latest first, went."""
    return Table(
        "The latest syncs, newest first; times are UTC",
        HISTORY_COLUMNS,
        tuple(_history_row(run) for run in runs),
        css="data--top",
        csv_url=csv_url,
    )


def _history_row(run: SyncRun) -> Row:
    began = run.started_at or run.queued_at
    changed = run.rows_inserted + run.rows_changed
    return Row(
        (
            Cell(moment(began), began.isoformat(timespec="seconds")),
            str(run.get_trigger_display()),
            duration(run.took) if run.took is not None else "",
            str(DateRange(run.window_from, run.window_to).days) if run.window_from and run.window_to else "",
            f"{run.rows_read:,} read, {changed:,} changed" if run.started_at else "",
            run.window_from.isoformat() if run.window_from else "",
            run.window_to.isoformat() if run.window_to else "",
            str(run.rows_read),
            str(run.rows_inserted),
            str(run.rows_changed),
            str(run.rows_unchanged),
            _result(run),
            run.error_text,
        )
    )


def _result(run: SyncRun) -> Cell:
    """The outcome with what explains it; ``excerpt`` is a stranger's text."""
    # How far it has come is the progress list's to say, which is always up to date.
    result = str(run.get_outcome_display()) if run.outcome else "In progress"
    notes = [str(note) for note in run.notes] if isinstance(run.notes, list) else []
    context = {"run": run, "outcome": run.outcome or "syncing", "result": result, "notes": notes}
    return from_template("providers/_sync_result.html", context, result)


FAILED_WHILE = {
    SyncRun.Stage.QUEUED.value: "before it began",
    SyncRun.Stage.ACCOUNT.value: "while reading the subscription",
    SyncRun.Stage.KEYS.value: "while listing the API keys",
    SyncRun.Stage.USAGE.value: "while reading usage",
}


@dataclass(frozen=True)
class SyncState:
    """What the top of a provider's page says about syncing: that it runs, how the last run ended, what to do now."""

    provider: Provider
    runs: Sequence[SyncRun]  # the latest, newest first
    unassigned_keys: int
    unassigned_agents: int
    totals_wait: bool  # whether the totals of the whole account belong to no company

    @cached_property
    def run(self) -> SyncRun | None:
        """The one that has not ended; of several the first."""
        return next((run for run in reversed(self.runs) if not run.is_finished), None)

    @cached_property
    def newest(self) -> SyncRun | None:
        """The latest that has ended."""
        return next((run for run in self.runs if run.is_finished), None)

    @property
    def steps(self) -> list[Step]:
        return steps(self.run) if self.run else []

    @property
    def _at_rest(self) -> bool:
        """Nothing runs, although something may."""
        return not self.run and self.provider.paused_at is None and self.provider.disconnected_at is None

    @property
    def failed(self) -> SyncRun | None:
        return self._ended(SyncRun.Outcome.FAILED)

    @property
    def needs_look(self) -> SyncRun | None:
        return self._ended(SyncRun.Outcome.NEEDS_LOOK)

    @property
    def failed_text(self) -> str:
        return (self.failed.error_text if self.failed else "") or self.provider.failure_text

    @property
    def failed_while(self) -> str:
        return FAILED_WHILE.get(self.failed.stage, "") if self.failed else ""

    @property
    def has_failed(self) -> bool:
        return self._at_rest and bool(self.failed or self.provider.failure_code)

    @property
    def needs_key(self) -> bool:
        return self.provider.failure_code in KEY_FAILURES

    @property
    def initial_done(self) -> bool:
        newest = self.newest
        return bool(
            newest
            and not self.run
            and newest.trigger == SyncRun.Trigger.CONNECT
            and newest.outcome == SyncRun.Outcome.SUCCEEDED
        )

    @property
    def assign_prompt(self) -> str:
        """What is left to do: of an account that reports totals alone, to assign those."""
        if self.totals_wait:
            return "Assign the account's totals to a company."
        return f"Assign {self.unassigned_text} to companies." if self.unassigned else ""

    @property
    def unassigned(self) -> int:
        return self.unassigned_keys + self.unassigned_agents

    @property
    def unassigned_text(self) -> str:
        """ "3 API keys", "3 API keys and 2 agents", "2 agents"."""
        counted = ((self.unassigned_keys, "API key"), (self.unassigned_agents, "agent"))
        return joined([count(number, noun) for number, noun in counted if number])

    def _ended(self, outcome: SyncRun.Outcome) -> SyncRun | None:
        """The latest run, if it ended so and nothing has begun or been stopped since."""
        return self.newest if self._at_rest and self.newest and self.newest.outcome == outcome else None

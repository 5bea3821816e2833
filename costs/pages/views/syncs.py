"""What a provider's page says about syncing: how it stands, what to do now, and how the latest runs went."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from core.cells import Cell, from_template
from core.days import DateRange
from core.tables import Column, Row, Table
from core.wording import count, duration, moment
from costs.pages.views.notices import KEY_FAILURES
from providers.models import Provider, SyncRun
from providers.progress import steps

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


def sync_state(provider: Provider, runs: Sequence[SyncRun], unassigned: int, *, totals_wait: bool) -> dict[str, Any]:
    """What the top of the page says about syncing: that it runs, how the last one ended, what to do now."""
    running = next((run for run in reversed(runs) if not run.is_finished), None)
    newest = next((run for run in runs if run.is_finished), None)
    stands_still = provider.paused_at is not None or provider.disconnected_at is not None
    ended = newest if newest and not running and not stands_still else None
    failed = ended if ended and ended.outcome == SyncRun.Outcome.FAILED else None
    needs_look = ended if ended and ended.outcome == SyncRun.Outcome.NEEDS_LOOK else None
    finished_initial = (
        newest
        and not running
        and newest.trigger == SyncRun.Trigger.CONNECT
        and newest.outcome == SyncRun.Outcome.SUCCEEDED
    )
    return {
        "run": running,
        "steps": steps(running) if running else [],
        "failed": failed,
        "failed_text": (failed.error_text if failed else "") or provider.failure_text,
        "failed_while": FAILED_WHILE.get(failed.stage, "") if failed else "",
        "has_failed": bool(failed or (provider.failure_code and not running and not stands_still)),
        "needs_key": provider.failure_code in KEY_FAILURES,
        "needs_look": needs_look,
        "initial_done": bool(finished_initial),
        "unassigned_keys": unassigned,
        "assign_prompt": _assign_prompt(unassigned, totals_wait=totals_wait),
    }


def _assign_prompt(unassigned: int, *, totals_wait: bool) -> str:
    """What is left to do: of an account that tells totals alone, to assign those."""
    if totals_wait:
        return "Assign the account's totals to a company."
    return f"Assign {count(unassigned, 'API key')} to companies." if unassigned else ""


FAILED_WHILE = {
    SyncRun.Stage.QUEUED.value: "before it began",
    SyncRun.Stage.ACCOUNT.value: "while reading the subscription",
    SyncRun.Stage.KEYS.value: "while listing the API keys",
    SyncRun.Stage.USAGE.value: "while reading usage",
}

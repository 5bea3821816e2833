"""What a provider's page says about syncing: how it stands, what to do now, and how the latest runs went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.days import DateRange
from core.tables import Column, Row, Table
from core.wording import count, duration, moment
from costs.pages.views.notices import KEY_FAILURES
from providers.models import Provider, SyncRun
from providers.progress import steps


@dataclass(frozen=True)
class HistoryRow:
    run: SyncRun
    started: str
    took: str
    window: str
    rows: str
    outcome: str  # the name of an icon
    result: str
    error: str
    notes: tuple[str, ...]
    excerpt: str  # how an answer begins that could not be understood: a stranger's text


def history_row(run: SyncRun) -> HistoryRow:
    changed = run.rows_inserted + run.rows_changed
    return HistoryRow(
        run=run,
        started=moment(run.started_at or run.queued_at),
        took=duration(run.took) if run.took is not None else "",
        window=str(DateRange(run.window_from, run.window_to).days) if run.window_from and run.window_to else "",
        rows=f"{run.rows_read:,} read, {changed:,} changed" if run.started_at else "",
        outcome=run.outcome or "syncing",
        # How far it has come is the progress list's to say, which is always up to date.
        result=str(run.get_outcome_display()) if run.outcome else "In progress",
        error=run.error_text,
        notes=tuple(str(note) for note in run.notes) if isinstance(run.notes, list) else (),
        excerpt=run.excerpt,
    )


def history_table(rows: Sequence[HistoryRow], *, csv_url: str) -> Table:
    """The same rows for the CSV; the page writes them itself, with icons and excerpts."""
    return Table(
        "Sync history",
        (
            *(Column(label, is_number=False) for label in ("Started (UTC)", "Why", "Took", "First day", "Last day")),
            *(Column(label) for label in ("Rows read", "Rows inserted", "Rows changed", "Rows unchanged")),
            *(Column(label, is_number=False) for label in ("Result", "Error")),
        ),
        tuple(
            Row(
                (
                    (row.run.started_at or row.run.queued_at).isoformat(timespec="seconds"),
                    str(row.run.get_trigger_display()),
                    row.took,
                    row.run.window_from.isoformat() if row.run.window_from else "",
                    row.run.window_to.isoformat() if row.run.window_to else "",
                    str(row.run.rows_read),
                    str(row.run.rows_inserted),
                    str(row.run.rows_changed),
                    str(row.run.rows_unchanged),
                    row.result,
                    row.error,
                )
            )
            for row in rows
        ),
        csv_url=csv_url,
    )


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

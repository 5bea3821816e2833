"""Answers that can't be understood, are too large, or would take most of what is stored away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from costs.models import DailyUsage, ReadDay
from elevenlabs_sync.simulator.routes import USAGE_PATH
from providers.models import Project, SyncRun
from tests.elevenlabs_sync.worlds import NOW, World, world
from tests.simulation import faults
from tests.simulation.faults import Verbatim

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

TODAY = NOW.date()
SUCCEEDED, FAILED, NEEDS_LOOK = SyncRun.Outcome.SUCCEEDED, SyncRun.Outcome.FAILED, SyncRun.Outcome.NEEDS_LOOK


@pytest.fixture
def here() -> Iterator[World]:
    """A workspace with eleven days of usage."""
    with world() as made:
        yield made


@pytest.fixture
def long() -> Iterator[World]:
    """A workspace whose history takes two requests."""
    with world(first_day=TODAY - timedelta(days=33)) as made:
        yield made


def figures(document: dict[str, Any], column: str, value: Any) -> dict[str, Any]:
    """The document with ``value`` in one row's cell of a column."""
    document["rows"][0][document["columns"].index(column)] = value
    return document


def unit(document: dict[str, Any], column: str, value: str | None) -> dict[str, Any]:
    document["column_units"][document["columns"].index(column)] = value
    return document


def renamed(document: dict[str, Any], column: str) -> dict[str, Any]:
    document["columns"][document["columns"].index(column)] = "other"
    return document


def without_rows(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"rows": []}


# --- Answers that can't be understood ---------------------------------------------------------------------------------


def cost_of(value: Any) -> faults.Transform:
    return faults.Transform(lambda document: figures(document, "total_cost", value))


UNREADABLE: list[tuple[str, faults.Fault, str]] = [
    ("cut JSON", faults.CutJson(), "it is not JSON, or was cut off"),
    ("HTML", faults.Html(200), "it is not JSON but text/html"),
    ("empty body", faults.EmptyBody(), "it is not JSON"),
    ("content type", faults.ContentType(), "it is not JSON but text/plain"),
    ("redirect", faults.Redirect("http://127.0.0.1:9/"), "redirect"),
    *(
        (f"cost {value}", cost_of(value), named)
        for value, named in [
            (float("nan"), "NaN"),
            (float("inf"), "Infinity"),
            (Verbatim("1e400"), "column total_cost"),
            (Verbatim("1e9999999"), "column total_cost"),
            (Verbatim("-0.01"), "column total_cost"),
            (Verbatim("9" * 3000), "column total_cost"),
            (True, "column total_cost"),
            ("much", "column total_cost"),
            ([], "column total_cost"),
        ]
    ),
    ("missing", faults.Transform(lambda document: renamed(document, "timestamp")), "column timestamp is missing"),
    ("no model", faults.Transform(lambda document: renamed(document, "model")), "column model is missing"),
    ("unit", faults.Transform(lambda document: unit(document, "total_minutes", "s")), "column total_minutes"),
    ("currency", faults.Transform(lambda document: unit(document, "total_cost", "chf")), "column total_cost"),
    ("no unit", faults.Transform(lambda document: unit(document, "total_cost", None)), "column total_cost"),
    (
        "noon",
        faults.Transform(lambda document: figures(document, "timestamp", "2026-11-20T12:00:00Z")),
        "column timestamp",
    ),
    ("NUL", faults.Transform(lambda document: figures(document, "model", "a\0b")), "column model"),
    ("NUL in unit", faults.Transform(lambda document: unit(document, "total_cost", "\0")), "column total_cost"),
    ("surrogate", faults.Transform(lambda document: figures(document, "model", Verbatim('"\\ud800"'))), "column model"),
    ("list", faults.Transform(lambda _document: []), "not a JSON object"),
    ("short row", faults.Transform(lambda document: document | {"rows": [[]]}), "“rows”"),
]


@pytest.mark.parametrize(("fault", "sentence"), [case[1:] for case in UNREADABLE], ids=[case[0] for case in UNREADABLE])
def test_answer_that_can_not_be_understood_changes_nothing(here: World, fault: faults.Fault, sentence: str) -> None:
    """The run fails with the reason, every row stays as it was, and the next good sync has the truth."""
    here.sync()
    before = list(DailyUsage.objects.order_by("pk").values())
    read = list(ReadDay.objects.order_by("pk").values())
    here.server.faults.add(USAGE_PATH, fault)
    here.clock.move(days=2)

    failed = here.sync()

    assert (failed.outcome, failed.error_code) == (FAILED, "unexpected_response")
    assert sentence in failed.error_text
    assert here.provider.failure_text == failed.error_text
    assert list(DailyUsage.objects.order_by("pk").values()) == before
    assert list(ReadDay.objects.order_by("pk").values()) == read
    assert here.sync().outcome == SUCCEEDED
    assert here.provider.failure_code == ""
    assert here.stored == here.truth


def test_answer_that_can_not_be_understood_is_not_asked_for_again(here: World) -> None:
    """Waiting does not make an answer readable."""
    here.server.faults.add(USAGE_PATH, faults.CutJson(), times=None)

    here.sync()

    assert len(here.usage_requests) == 1


def test_failure_in_the_middle_keeps_the_pieces_before(long: World) -> None:
    """A first sync that fails midway keeps what it has, and goes on from there."""
    run = long.run()

    def break_the_next(_progress: Any) -> None:
        long.server.faults.clear()
        if long.usage_requests:
            long.server.faults.add(USAGE_PATH, faults.CutJson())

    failed = long.carry_out(run, on_progress=break_the_next)

    assert failed is not None
    assert (failed.outcome, failed.days_done) == (FAILED, 30)
    newest = {identity: row for identity, row in long.truth.items() if identity[1] > TODAY - timedelta(days=30)}
    assert long.stored == newest
    long.server.faults.clear()
    long.sync()
    assert long.stored == long.truth


def test_duplicate_rows_and_added_columns_are_summed_and_ignored(here: World) -> None:
    """Each bucket split in two, columns in another order and one more of them: the same sums."""

    def disguised(document: dict[str, Any]) -> dict[str, Any]:
        count = document["columns"].index("usage_count")
        halves = []
        for row in document["rows"]:
            rest = [Decimal(0) if isinstance(cell, Decimal) else cell for cell in row]
            rest[count] = 0
            halves += [row, rest]
        return {
            "columns": ["added", *reversed(document["columns"])],
            "column_units": ["rating", *reversed(document["column_units"])],
            "rows": [["x", *reversed(row)] for row in halves],
        }

    here.server.faults.add(USAGE_PATH, faults.Transform(disguised))

    here.sync()

    assert here.stored == here.truth


# --- Large and slow answers -------------------------------------------------------------------------------------------


def test_window_whose_answer_is_too_large_is_halved(here: World) -> None:
    """An answer that passes the size cap is asked for in two parts, which cover the same days."""
    here.server.faults.add(USAGE_PATH, faults.GzipBomb(20_000_000))

    run = here.sync()

    whole, later, earlier = here.usage_requests
    assert (earlier["start_time"], later["end_time"]) == (whole["start_time"], whole["end_time"])
    assert earlier["end_time"] == later["start_time"]
    assert (run.outcome, run.days_done) == (SUCCEEDED, 11)
    assert here.stored == here.truth


def test_half_of_a_window_is_stored_before_the_other_is_asked_for(here: World) -> None:
    """However much a window holds, no more than an answer of it is in memory."""
    here.server.faults.add(USAGE_PATH, faults.GzipBomb(20_000_000))
    seen: list[tuple[int, int]] = []

    here.carry_out(here.run(), on_progress=lambda now: seen.append((now.days_done, len(here.usage_requests))))

    assert seen == [(0, 0), (6, 2), (11, 3)]


def test_day_whose_answer_is_too_large_fails_the_run(here: World) -> None:
    """There is nothing less to ask for than a day."""
    here.server.faults.add(USAGE_PATH, faults.GzipBomb(11_000_000), times=None)

    run = here.sync(requested_from=TODAY - timedelta(days=1), requested_to=TODAY)

    assert (run.outcome, run.error_code) == (FAILED, "answer_too_large")
    assert here.stored == {}


# --- Implausible answers ----------------------------------------------------------------------------------------------


def most_rows_gone(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"rows": document["rows"][::5]}


@pytest.mark.parametrize("change", [without_rows, most_rows_gone])
def test_implausible_answer_is_held(here: World, change: Callable[[Any], Any]) -> None:
    """An answer that takes most of the figures away needs a look; what stands is kept."""
    here.sync()
    before = list(DailyUsage.objects.order_by("pk").values())
    here.server.faults.add(USAGE_PATH, faults.Transform(change))

    run = here.sync()

    assert (run.outcome, run.error_code) == (NEEDS_LOOK, "implausible")
    assert here.provider.failure_text == run.error_text != ""
    assert list(DailyUsage.objects.order_by("pk").values()) == before


def test_implausible_answer_is_applied_when_accepted(here: World) -> None:
    """A person may say that the answer is right."""
    here.sync()
    here.server.faults.add(USAGE_PATH, faults.Transform(without_rows))

    run = here.sync(requested_from=here.first_day, requested_to=TODAY, accepts_implausible=True)

    assert (run.outcome, run.rows_changed) == (SUCCEEDED, len(here.truth))
    assert here.stored == {}
    here.sync(requested_from=here.first_day, requested_to=TODAY)
    assert here.stored == here.truth


def test_vanished_row_becomes_zero(here: World) -> None:
    """A row that a whole answer leaves out is zero; the row itself stays."""
    here.sync()
    (gone, *_rest), count = here.truth, DailyUsage.objects.count()
    gone = max(here.truth, key=lambda identity: identity[1])

    def without_it(document: dict[str, Any]) -> dict[str, Any]:
        places = [document["columns"].index(name) for name in ("hashed_xi_api_key", "timestamp", "model")]
        wanted = [None if gone[0] == Project.KEYLESS_ID else gone[0], f"{gone[1]}T00:00:00Z", gone[2]]
        return document | {"rows": [row for row in document["rows"] if [row[place] for place in places] != wanted]}

    here.server.faults.add(USAGE_PATH, faults.Transform(without_it))

    run = here.sync()

    assert run.rows_changed == 1
    assert here.stored == {identity: row for identity, row in here.truth.items() if identity != gone}
    assert DailyUsage.objects.count() == count

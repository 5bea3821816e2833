"""Whole syncs against the simulated workspace over a real socket: what is stored is the truth, whatever goes wrong."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.secrets import ApiKey
from costs.models import DailyUsage, ReadDay
from elevenlabs_sync.simulator import SIMULATED_API_KEY, USAGE_ONLY_API_KEY, access
from elevenlabs_sync.simulator.cast import DISABLED, NEVER_USED
from elevenlabs_sync.simulator.routes import MODELS_PATH, SERVICE_ACCOUNTS_PATH, SUBSCRIPTION_PATH, USAGE_PATH
from providers.models import Project, Provider, SyncRun
from providers.models.provider import LEASE
from syncing import engine as sync_module
from syncing.claims import take_claim
from syncing.engine import run_sync
from syncing.retrying import RetryPolicy
from tests.elevenlabs_sync.worlds import FAST, NOW, Clock, World, milliseconds, world
from tests.simulation import faults
from tests.simulation.faults import Verbatim

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
SUCCEEDED, FAILED, NEEDS_LOOK = SyncRun.Outcome.SUCCEEDED, SyncRun.Outcome.FAILED, SyncRun.Outcome.NEEDS_LOOK
TWO_PIECES = TODAY - timedelta(days=33)  # a window of 30 days and one of 4


@pytest.fixture(autouse=True)
def _nobody_stops() -> Iterator[None]:
    yield
    sync_module.stopping.clear()


@pytest.fixture
def here() -> Iterator[World]:
    """A workspace with eleven days of usage."""
    with world() as made:
        yield made


@pytest.fixture
def long() -> Iterator[World]:
    """A workspace whose history takes two requests."""
    with world(first_day=TWO_PIECES) as made:
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


# --- The first sync ---------------------------------------------------------------------------------------------------


def test_first_sync_stores_the_truth(here: World) -> None:
    """Every figure of every key, day and model is stored to the last digit, and no other row."""
    here.sync()

    assert here.stored == here.truth
    assert DailyUsage.objects.count() == len(here.truth)


def test_numbers_as_strings_are_the_same_numbers() -> None:
    """An answer with decimal strings gives the same rows."""
    with world(decimal_strings=True) as here:
        here.sync()

        assert here.stored == here.truth


def test_history_of_several_pieces_is_read_newest_first(long: World) -> None:
    """The pieces are of 30 days, cover each day once, and what is shown advances with them."""
    run = long.sync()

    assert [(body["start_time"], body["end_time"]) for body in long.usage_requests] == [
        (milliseconds(TODAY - timedelta(days=29)), milliseconds(TODAY, hours=12, minutes=30)),
        (milliseconds(TWO_PIECES), milliseconds(TODAY - timedelta(days=29))),
    ]
    assert long.progress == [(0, 34), (30, 34), (34, 34)]
    assert (run.days_done, run.days_total, run.window_from, run.window_to) == (34, 34, TWO_PIECES, TODAY)
    assert long.stored == long.truth


def test_run_tells_what_it_did(here: World) -> None:
    """Rows read and inserted, keys found and the times are recorded."""
    run = here.sync()

    assert (run.outcome, run.error_code, run.error_text) == (SUCCEEDED, "", "")
    assert run.rows_read == run.rows_inserted == len(here.truth)
    assert (run.rows_changed, run.rows_unchanged) == (0, 0)
    assert run.keys_found == len(here.server.current_workspace().listed_keys())
    assert (run.started_at, run.finished_at, run.attempts) == (NOW, NOW, 1)


def test_provider_is_up_to_date_and_free_afterwards(here: World) -> None:
    """The provider's state follows the run and its claim has ended."""
    here.sync()

    assert here.provider.last_synced_at == NOW
    assert (here.provider.failure_code, here.provider.failing_since) == ("", None)
    assert (here.provider.claimed_by, here.provider.claimed_until) == ("", None)


def test_every_day_of_the_history_counts_as_read(here: World) -> None:
    """Days without usage are read as well."""
    here.sync()

    days = [here.first_day + timedelta(days=offset) for offset in range(11)]
    assert list(ReadDay.objects.for_provider(here.provider).values_list("day", flat=True)) == days


def test_account_is_kept_beside_the_usage(here: World) -> None:
    """Plan, currency and the models' names are stored."""
    here.sync()

    assert (here.provider.subscription or {})["name"] == "scale"
    assert here.provider.currency == "usd"
    assert here.provider.model_names["eleven_flash_v2_5"] == "Eleven Flash v2.5"


def test_request_identifies_the_product(here: World) -> None:
    """ElevenLabs can tell who asks."""
    here.sync()

    assert {request.headers["user-agent"].split("/")[0] for request in here.server.requests} == {"Administrate"}


def test_empty_workspace_is_synced() -> None:
    """A workspace without usage succeeds with no rows."""
    with world(first_day=TODAY + timedelta(days=1)) as here:
        Provider.objects.update(history_from=TODAY)
        here.server.faults.add(USAGE_PATH, faults.Transform(without_rows))

        run = here.sync()

    assert (run.outcome, run.rows_read) == (SUCCEEDED, 0)


# --- Keys -------------------------------------------------------------------------------------------------------------


def project(here: World, slug: str) -> Project:
    workspace = here.server.current_workspace()
    [key] = [key for key in workspace.cast if key.slug == slug]
    return Project.objects.get(provider=here.provider, external_id=workspace.key_hash(key))


def test_listed_key_without_usage_becomes_a_project(here: World) -> None:
    """A key can be assigned before it is used."""
    here.sync()

    unused = project(here, NEVER_USED)
    assert (unused.name, unused.first_used_on, unused.kind) == ("Internal – sandbox", None, Project.Kind.KEY)
    assert len(unused.hint) == 4


def test_keyless_usage_is_a_project_of_its_own(here: World) -> None:
    """Usage of the web app is told apart from every key."""
    here.sync()

    keyless = Project.objects.get(provider=here.provider, kind=Project.Kind.KEYLESS)
    assert (keyless.external_id, keyless.display_name) == (Project.KEYLESS_ID, "No API key (web app)")


def test_disabled_key_is_marked(here: World) -> None:
    """A disabled key keeps its row and says since when we know."""
    here.sync()

    assert project(here, DISABLED).disabled_at == NOW


def test_key_that_left_the_listing_is_marked_and_keeps_its_usage(here: World) -> None:
    """A deleted key's history stays; a key that comes back is no longer deleted."""
    here.sync()
    before = here.stored

    def without_first_account(document: dict[str, Any]) -> dict[str, Any]:
        return {"service-accounts": document["service-accounts"][1:]}

    here.server.faults.add(SERVICE_ACCOUNTS_PATH, faults.Transform(without_first_account))
    here.clock.move(minutes=5)
    here.sync()

    gone = project(here, "northwind-ivr")
    assert gone.deleted_at == here.clock()
    assert here.stored == before
    here.sync()
    gone.refresh_from_db()
    assert gone.deleted_at is None


def test_renamed_key_is_one_project(here: World) -> None:
    """A key's name may change; its hash is what identifies it."""
    here.sync()
    count = Project.objects.count()

    def renamed_keys(document: dict[str, Any]) -> dict[str, Any]:
        for account in document["service-accounts"]:
            for key in account["api-keys"]:
                key["name"] = f"{key['name']} (new)"
        return document

    here.server.faults.add(SERVICE_ACCOUNTS_PATH, faults.Transform(renamed_keys))
    here.sync()

    assert Project.objects.count() == count
    assert project(here, "northwind-ivr").name == "Northwind – IVR (new)"


def test_refused_listing_and_subscription_are_normal() -> None:
    """A key that may only read usage syncs usage, and knows keys by their use."""
    with world() as here:
        here.provider.api_key = ApiKey(USAGE_ONLY_API_KEY)
        here.provider.save()

        run = here.sync()

        assert (run.outcome, run.keys_found) == (SUCCEEDED, None)
        assert here.provider.subscription is None
        assert here.stored == here.truth
        assert project(here, "northwind-ivr").name == "Northwind – IVR"


@pytest.mark.parametrize("path", [SERVICE_ACCOUNTS_PATH, SUBSCRIPTION_PATH, MODELS_PATH])
@pytest.mark.parametrize("status", [403, 404, 429, 500])
def test_account_that_can_not_be_read_does_not_stop_usage(here: World, path: str, status: int) -> None:
    """Only usage decides whether a sync failed."""
    here.server.faults.add(path, faults.ErrorStatus(status), times=None)

    assert here.sync().outcome == SUCCEEDED
    assert here.stored == here.truth


def test_refused_key_does_not_forget_the_plan(here: World) -> None:
    """A revoked key says nothing about the plan: what was known of it stays."""
    here.sync()
    here.server.keys.clear()

    here.sync()

    assert (here.provider.subscription or {})["name"] == "scale"


def test_texts_of_any_length_fit(here: World) -> None:
    """A reason longer than its column is cut, not an error of one database."""

    def long_texts(document: dict[str, Any]) -> dict[str, Any]:
        for account in document["service-accounts"]:
            for key in account["api-keys"]:
                key.update(name="n" * 5000, hint="h" * 5000, is_disabled=True, disable_reason="r" * 5000)
        return document

    here.server.faults.add(SERVICE_ACCOUNTS_PATH, faults.Transform(long_texts))

    assert here.sync().outcome == SUCCEEDED
    assert project(here, "northwind-ivr").disabled_reason.startswith("rrr")


# --- Again and later --------------------------------------------------------------------------------------------------


def test_repeated_sync_changes_nothing(here: World) -> None:
    """The same figures again are unchanged, row by row."""
    here.sync()
    before = list(DailyUsage.objects.order_by("pk").values())

    run = here.sync()

    assert (run.rows_inserted, run.rows_changed) == (0, 0)
    assert run.rows_unchanged == run.rows_read > 0
    assert list(DailyUsage.objects.order_by("pk").values()) == before


def test_hourly_sync_is_one_usage_request(here: World) -> None:
    """Settled days are not read again."""
    here.sync()
    here.clock.move(hours=1)
    before = len(here.usage_requests)

    here.sync()

    [body] = here.usage_requests[before:]
    assert body["start_time"] == milliseconds(TODAY - timedelta(days=7))
    assert body["end_time"] == milliseconds(TODAY, hours=13, minutes=30)


def test_next_day_completes_and_prices_the_day_before(here: World) -> None:
    """Part of a day without a price becomes the whole day with one."""
    here.sync()
    here.clock.move(days=2)

    run = here.sync()

    assert run.rows_changed > 0
    assert here.stored == here.truth
    costs = [cost for (_key, day, _model), (*_rest, cost) in here.stored.items() if day == TODAY]
    assert costs
    assert None not in costs


def test_outage_longer_than_the_trailing_days_leaves_no_gap(here: World) -> None:
    """After three weeks without a sync every missed day is read."""
    here.sync()
    here.clock.move(days=21)

    here.sync()

    assert here.stored == here.truth
    assert ReadDay.objects.for_provider(here.provider).count() == 11 + 21


def test_named_window_is_read_and_nothing_else(here: World) -> None:
    """A person may have any days read again; how current the provider is follows only when they reach today."""
    first, last = TODAY - timedelta(days=6), TODAY - timedelta(days=4)

    here.sync(requested_from=first, requested_to=last)

    assert {day for _key, day, _model in here.stored} == {first, first + timedelta(days=1), last}
    assert here.stored == {identity: row for identity, row in here.truth.items() if first <= identity[1] <= last}
    assert here.provider.last_synced_at is None


def test_ended_run_is_not_carried_out_again(here: World) -> None:
    """A message that is delivered twice does its work once."""
    run = here.sync()
    asked = len(here.server.requests)

    again = here.carry_out(run)

    assert again == run
    assert len(here.server.requests) == asked


def test_unknown_run_is_ignored() -> None:
    """A run that was deleted with its provider leaves nothing to do."""
    assert run_sync(10**9) is None


# --- Days and clocks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "last", "end"),
    [
        (
            datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC),
            date(2026, 11, 22),
            milliseconds(date(2026, 11, 23)) - 1,
        ),
        (datetime(2026, 11, 23, tzinfo=UTC), date(2026, 11, 23), milliseconds(date(2026, 11, 23))),
        (datetime(2026, 11, 23, 0, 0, 0, 1999, tzinfo=UTC), date(2026, 11, 23), milliseconds(date(2026, 11, 23)) + 1),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), date(2028, 2, 29), milliseconds(date(2028, 2, 29), hours=12)),
        (datetime(2028, 3, 1, tzinfo=UTC), date(2028, 3, 1), milliseconds(date(2028, 3, 1))),
        (datetime(2027, 1, 1, tzinfo=UTC), date(2027, 1, 1), milliseconds(date(2027, 1, 1))),
    ],
    ids=str,
)
def test_days_are_utc_days_up_to_the_moment(now: datetime, last: date, end: int) -> None:
    """The running day is asked for up to now, from its very beginning, and no day is missed or read twice."""
    with world(first_day=now.date() - timedelta(days=3), now=now) as here:
        run = here.sync()

        assert run.window_to == last
        assert here.usage_requests[0]["end_time"] == end
        assert here.stored == here.truth
        assert ReadDay.objects.filter(provider=here.provider).latest("day").day == last


def test_day_that_was_read_before_its_end_is_read_again(here: World) -> None:
    """A day read a microsecond before midnight is not complete."""
    here.clock.now = datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC)
    here.sync()
    here.clock.now = datetime(2026, 11, 23, tzinfo=UTC)

    here.sync()

    assert here.stored == here.truth
    assert ReadDay.objects.get(provider=here.provider, day=TODAY).is_over


@pytest.mark.parametrize("jump", [-1, 1])
def test_clock_that_jumps_by_a_day_and_back_leaves_no_gap_and_no_double(here: World, jump: int) -> None:
    """With our clock wrong for one sync, the next right one has the truth."""
    here.sync()
    here.clock = Clock(here.server_clock() + timedelta(days=jump))
    here.sync()
    here.clock = here.server_clock
    here.clock.move(hours=1)

    here.sync()

    assert here.stored == here.truth


def test_clock_that_jumps_back_behind_a_named_window_is_no_error(here: World) -> None:
    """A window that lies in the future by the time it is read has no usage yet."""
    run = here.run(requested_from=TODAY, requested_to=TODAY)
    here.clock = Clock(NOW - timedelta(days=1))

    ended = here.carry_out(run)

    assert ended is not None
    assert ended.outcome == SUCCEEDED


def test_midnight_in_the_middle_of_a_sync_leaves_no_gap(long: World) -> None:
    """A day that ends while it is read is read to its end by the next sync."""
    long.clock.now = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
    run = long.run()
    long.carry_out(run, on_progress=lambda _progress: long.clock.move(seconds=2))
    long.clock.move(hours=1)

    long.sync()

    assert long.stored == long.truth


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


def test_day_whose_answer_is_too_large_fails_the_run(here: World) -> None:
    """There is nothing less to ask for than a day."""
    here.server.faults.add(USAGE_PATH, faults.GzipBomb(11_000_000), times=None)

    run = here.sync(requested_from=TODAY - timedelta(days=1), requested_to=TODAY)

    assert (run.outcome, run.error_code) == (FAILED, "answer_too_large")
    assert here.stored == {}


# --- Limits and outages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        faults.ErrorStatus(429, headers={"retry-after": "0"}),
        faults.ErrorStatus(429, headers={"retry-after-ms": "1"}),
        faults.ErrorStatus(429, headers={"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        faults.ErrorStatus(429, headers={"retry-after": "86400"}),
        faults.ErrorStatus(429, headers={"retry-after": "Wed, 21 Oct 99999999999999999999 07:28:00 GMT"}),
        faults.ErrorStatus(429),
        faults.ErrorStatus(408),
        faults.ErrorStatus(409),
        faults.ErrorStatus(500),
        faults.Html(502),
        faults.ErrorStatus(503),
        faults.ConnectionReset(),
        faults.CutConnection(),
    ],
    ids=str,
)
def test_passing_failure_is_waited_out(here: World, fault: faults.Fault) -> None:
    """A limit, an outage or a broken connection costs a repetition, nothing else."""
    here.server.faults.add(USAGE_PATH, fault)

    run = here.sync()

    assert run.outcome == SUCCEEDED
    assert len(here.usage_requests) == 2
    assert here.stored == here.truth


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (faults.ErrorStatus(429), "rate_limited"),
        (faults.ErrorStatus(503), "unavailable"),
        (faults.ConnectionReset(), "unavailable"),
    ],
    ids=str,
)
def test_lasting_failure_ends_after_bounded_attempts(here: World, fault: faults.Fault, code: str) -> None:
    """A storm is given up, with a plain reason and every row as it was."""
    here.sync()
    before = list(DailyUsage.objects.order_by("pk").values())
    asked = len(here.usage_requests)
    here.server.faults.add(USAGE_PATH, fault, times=None)

    run = here.sync()

    assert (run.outcome, run.error_code) == (FAILED, code)
    assert len(here.usage_requests) - asked == FAST.attempts
    assert list(DailyUsage.objects.order_by("pk").values()) == before
    assert here.provider.failing_since == NOW


def test_failure_remembers_since_when(here: World) -> None:
    """A second failure keeps the moment of the first."""
    here.server.faults.add(USAGE_PATH, faults.CutJson(), times=2)
    here.sync()
    here.clock.move(hours=1)

    here.sync()

    assert here.provider.failing_since == NOW


# --- The API key ------------------------------------------------------------------------------------------------------


def test_revoked_key_fails_at_once_and_its_replacement_goes_on(here: World) -> None:
    """A revoked key is not tried again; with a new one the history continues without gap or double."""
    here.sync()
    before = here.stored
    asked = len(here.usage_requests)
    new_key = "sk_" + "ab12" * 12
    here.server.keys = {new_key: access.ALL_PERMISSIONS}
    here.clock.move(days=9)

    failed = here.sync()

    assert (failed.outcome, failed.error_code) == (FAILED, "invalid_key")
    assert here.stored == before
    assert len(here.usage_requests) - asked == 1
    here.provider.api_key = ApiKey(new_key)
    here.provider.save()
    here.sync()
    assert here.stored == here.truth


def test_missing_permission_is_named(here: World) -> None:
    """The person learns which permission to give."""
    here.server.keys = {SIMULATED_API_KEY: access.ALL_PERMISSIONS - {access.ANALYTICS}}

    run = here.sync()

    assert (run.outcome, run.error_code) == (FAILED, "missing_permission")
    assert "workspace_analytics_full_read" in run.error_text


def test_key_that_can_not_be_decrypted_asks_for_a_new_one(here: World) -> None:
    """With its encryption key lost the provider fails, and nothing is asked of ElevenLabs."""
    with override_settings(ENCRYPTION_KEYS=[Fernet.generate_key().decode()]):
        run = here.sync()

    assert (run.outcome, run.error_code) == (FAILED, "key_unreadable")
    assert here.server.requests == []


class _EveryRecord(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(f"{record.getMessage()} {record.__dict__} {self.format(record)}")


@pytest.fixture
def every_record() -> Iterator[list[str]]:
    """All that any logger says at its most talkative – but httpcore, which repeats the headers of answers."""
    handler = _EveryRecord()
    names = ("", "httpx", "elevenlabs_sync", "providers", "costs", "django", "django.db.backends")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger("httpcore").setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)
    yield handler.texts
    logging.getLogger().removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger("httpcore").setLevel(logging.NOTSET)


def test_api_key_stands_nowhere_in_clear(here: World, every_record: list[str]) -> None:
    """An API that echoes the key wherever it can does not get it into logs, runs or providers."""
    key = SIMULATED_API_KEY
    echoes: list[faults.Fault] = [
        faults.ErrorStatus(401, code="other", message=f"No: {key}."),
        faults.ErrorStatus(401, code="missing_permissions", message=f"You are missing the permission {key} to do it"),
        faults.ErrorStatus(402, detail=f"api_key_{key}"),
        faults.ErrorStatus(422, detail=[{"loc": ["body"], "msg": f"xi-api-key={key}", "type": key}]),
        faults.ErrorStatus(400, code=key, message=f"{key}{key}"),
        faults.ErrorStatus(503, message=key, headers={"retry-after": key}),
        faults.ContentType(f"text/{key}"),
        faults.Redirect(f"http://127.0.0.1:9/{key}"),
        faults.Transform(lambda document: unit(document, "total_cost", key)),
        faults.Transform(lambda document: figures(document, "total_cost", key)),
    ]

    for echo in echoes:
        here.server.faults.add(USAGE_PATH, echo, times=None)
        assert here.sync().outcome == FAILED
        here.server.faults.clear()

    kept = [list(model.objects.values()) for model in (SyncRun, Provider, Project)]
    assert len(every_record) > 10
    assert [text for text in every_record if key[3:] in text] == []
    assert key[3:] not in repr(kept)


def test_connection_tells_no_key(here: World, every_record: list[str]) -> None:
    """Not even the most talkative log of the HTTP library holds the key."""
    logging.getLogger("httpcore").setLevel(logging.DEBUG)

    here.sync()

    assert any("send_request_headers" in text for text in every_record)
    assert SIMULATED_API_KEY not in "\n".join(every_record)


def test_error_of_our_own_shows_no_key(here: World) -> None:
    """Not even a traceback with every local variable holds the key."""
    Provider.objects.update(region="nowhere")
    run = here.run()

    with pytest.raises(KeyError) as caught:
        here.carry_out(run)

    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert SIMULATED_API_KEY not in "".join(shown.format())


# --- Errors of our own ------------------------------------------------------------------------------------------------


def test_error_of_our_own_is_recorded_and_raised(here: World) -> None:
    """What is nobody's fault but ours ends the run, frees the provider and reaches the log."""
    Provider.objects.update(region="nowhere")
    run = here.run()

    with pytest.raises(KeyError):
        here.carry_out(run)

    run.refresh_from_db()
    here.provider.refresh_from_db()
    assert (run.outcome, run.error_code) == (FAILED, "internal")
    assert here.provider.claimed_until is None


def test_unwritable_database_is_recorded_as_such(here: World) -> None:
    """When the rows can't be written the run says so, and no part of the window is there."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE costs_readday RENAME TO costs_readday_away")
    run = here.run(requested_from=TODAY, requested_to=TODAY)

    with pytest.raises(Exception, match="costs_readday"):
        here.carry_out(run)

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE costs_readday_away RENAME TO costs_readday")
    run.refresh_from_db()
    assert (run.outcome, run.error_code, run.rows_read) == (FAILED, "database", 0)
    assert here.stored == {}


# --- Claims -----------------------------------------------------------------------------------------------------------


def test_claimed_provider_is_left_alone(here: World) -> None:
    """While somebody else syncs the provider the run waits for the sweep."""
    take_claim(provider=here.provider, owner="somebody else", now=NOW)
    run = here.run()
    SyncRun.objects.update(enqueued_at=NOW)

    assert here.carry_out(run) is None

    run.refresh_from_db()
    here.provider.refresh_from_db()
    assert (run.started_at, run.attempts, run.enqueued_at) == (None, 0, None)
    assert here.provider.claimed_by == "somebody else"
    assert here.server.requests == []


def test_expired_claim_is_taken_over(here: World) -> None:
    """A dead worker's claim frees itself, to the very moment."""
    take_claim(provider=here.provider, owner="the dead", now=NOW - LEASE)

    assert here.sync().outcome == SUCCEEDED


def test_claim_that_is_lost_in_the_middle_ends_the_writing(long: World) -> None:
    """Once somebody else has taken over, nothing more is written: no row, no day, no outcome."""
    run = long.run()

    def steal(_progress: Any) -> None:
        Provider.objects.filter(pk=long.provider.pk).update(claimed_by="a thief")

    assert long.carry_out(run, on_progress=steal) is None

    run.refresh_from_db()
    assert (long.stored, run.is_finished, run.days_done) == ({}, False, 0)
    assert ReadDay.objects.count() == 0
    assert Provider.objects.get(pk=long.provider.pk).claimed_by == "a thief"


def test_claim_that_is_lost_during_the_request_ends_the_writing(here: World) -> None:
    """An answer that comes after the claim was lost is not stored."""
    run = here.run()

    assert here.carry_out(run, clock=_Thief(here)) is None

    assert here.stored == {}


class _Thief:
    """A clock whose reader loses the claim as soon as usage has been answered."""

    def __init__(self, here: World) -> None:
        self._here = here

    def __call__(self) -> datetime:
        if self._here.usage_requests:
            Provider.objects.filter(pk=self._here.provider.pk).update(claimed_by="a thief")
        return NOW


def test_claim_that_is_lost_before_the_end_leaves_the_outcome_to_the_thief(here: World) -> None:
    """The worker that lost the run does not end it: who took it over does."""
    run = here.run()

    def steal_at_the_end(progress: Any) -> None:
        if progress.days_done == progress.days_total:
            Provider.objects.filter(pk=here.provider.pk).update(claimed_by="a thief")

    assert here.carry_out(run, on_progress=steal_at_the_end) is None

    run.refresh_from_db()
    assert not run.is_finished


def test_run_that_lost_its_worker_three_times_fails(here: World) -> None:
    """A run that kills its worker is not begun for ever."""
    run = here.run()
    SyncRun.objects.update(attempts=3, started_at=NOW)

    ended = here.carry_out(run)

    assert ended is not None
    assert (ended.outcome, ended.error_code) == (FAILED, "worker_lost")
    assert here.server.requests == []
    assert Provider.objects.get(pk=here.provider.pk).claimed_until is None


def test_run_of_a_dead_worker_is_completed(long: World) -> None:
    """A second worker goes on where the first one died, and the figures are those of a clean backfill."""
    run = long.run()

    class DiedError(BaseException):
        pass

    def die(progress: Any) -> None:
        if progress.days_done:
            raise DiedError

    with pytest.raises(DiedError):
        long.carry_out(run, on_progress=die)

    ended = long.carry_out(run)

    assert ended is not None
    assert (ended.outcome, ended.attempts) == (SUCCEEDED, 2)
    assert long.stored == long.truth


def test_interrupted_run_goes_back_to_the_queue_and_completes_later(long: World) -> None:
    """When the process ends the run keeps what it has, counts no attempt, and is completed later."""
    run = long.run()
    SyncRun.objects.update(enqueued_at=NOW)

    def stop(progress: Any) -> None:
        if progress.days_done:
            sync_module.stopping.set()

    assert long.carry_out(run, on_progress=stop) is None

    run.refresh_from_db()
    assert (run.is_finished, run.attempts, run.enqueued_at, run.days_done) == (False, 0, None, 30)
    assert Provider.objects.get(pk=long.provider.pk).claimed_until is None
    sync_module.stopping.clear()
    ended = long.carry_out(run)
    assert ended is not None
    assert ended.outcome == SUCCEEDED
    assert long.stored == long.truth


def test_run_that_waits_is_interrupted_too(here: World) -> None:
    """A long wait for a limit does not keep the process from ending."""
    here.server.faults.add(USAGE_PATH, faults.ErrorStatus(429, headers={"retry-after": "3000"}), times=None)
    run = here.run()

    def stop_after_the_first_refusal() -> None:
        while not here.usage_requests:
            time.sleep(0.01)
        sync_module.stopping.set()

    stopper = threading.Thread(target=stop_after_the_first_refusal)
    stopper.start()

    ended = here.carry_out(run, policy=RetryPolicy(longest_wait=3600))

    stopper.join()
    assert ended is None
    assert len(here.usage_requests) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same_run", [True, False])
def test_two_syncs_of_one_provider_at_once_are_one(*, same_run: bool) -> None:
    """Of two workers exactly one works, be it for the same run or for another one of the same provider."""
    with world() as here:
        runs = [here.run(), here.run() if same_run else here.run(requested_from=TODAY, requested_to=TODAY)]
        here.server.faults.add(SUBSCRIPTION_PATH, faults.Delay(0.5))
        barrier = threading.Barrier(2)
        ended: list[SyncRun | None] = []

        def work(run: SyncRun) -> None:
            try:
                barrier.wait()
                ended.append(here.carry_out(run))
            finally:
                connection.close()

        workers = [threading.Thread(target=work, args=(run,)) for run in runs]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

        assert sorted(run is None for run in ended) == [False, True]
        assert len(here.usage_requests) == 1
        [finished] = SyncRun.objects.exclude(finished_at=None)
        assert (finished.outcome, finished.attempts) == (SUCCEEDED, 1)


@pytest.mark.django_db(transaction=True)
def test_run_that_another_worker_has_just_ended_is_not_begun_again() -> None:
    """A worker that has looked at the run before, but claims the provider after its end, leaves it as it is."""
    with world() as here:
        run = here.run()

        class Late:
            """Lets another worker carry the run out between our look at it and our claim."""

            def __init__(self) -> None:
                self.asked = 0

            def __call__(self) -> datetime:
                self.asked += 1
                if self.asked == 1:
                    here.carry_out(run)
                return NOW

        ended = here.carry_out(run, clock=Late())

        run.refresh_from_db()
        assert ended == run
        assert run.attempts == 1
        assert len(here.usage_requests) == 1


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


# --- Any sequence of faults -------------------------------------------------------------------------------------------

FAULTS: list[faults.Fault | None] = [
    None,
    None,
    faults.ErrorStatus(429, headers={"retry-after": "0"}),
    faults.ErrorStatus(503),
    faults.ErrorStatus(401, code="invalid_api_key"),
    faults.ErrorStatus(403, code="missing_permissions"),
    faults.ErrorStatus(400),
    faults.Html(),
    faults.CutJson(),
    faults.CutConnection(),
    faults.EmptyBody(),
    faults.ConnectionReset(),
    faults.GzipBomb(11_000_000),
    faults.Transform(lambda document: figures(document, "total_cost", float("nan"))),
    faults.Transform(lambda document: unit(document, "total_usage", "usd")),
]
_STEPS = st.tuples(
    st.sampled_from(FAULTS),
    st.integers(1, 4),  # requests that meet the fault
    st.sampled_from([0, 1, 6, 24, 50, 24 * 9]),  # hours until then
    st.sampled_from([0, 0, 0, -24, 24]),  # hours by which our clock is wrong
    st.sampled_from(["run", "run", "die", "stop", "stolen"]),
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_STEPS, min_size=1, max_size=5))
def test_any_sequence_of_faults_ends_as_a_fresh_backfill(
    steps: list[tuple[faults.Fault | None, int, int, int, str]],
) -> None:
    """After whatever went wrong, one good sync brings the database to what an empty one gets from a backfill."""
    with world(first_day=TWO_PIECES) as here, world(first_day=TWO_PIECES) as fresh:
        for fault, times, hours, wrong, end in steps:
            here.server_clock.move(hours=hours)
            here.clock = Clock(here.server_clock() + timedelta(hours=wrong))
            here.server.faults.clear()
            if fault is not None:
                here.server.faults.add(USAGE_PATH, fault, times=times)
            with override_settings(ELEVENLABS_BASE_URL=here.server.base_url):
                _attempt(here, end)
        here.server.faults.clear()
        here.clock = here.server_clock
        with override_settings(ELEVENLABS_BASE_URL=here.server.base_url):
            here.clock.move(hours=1)
            Provider.objects.update(claimed_by="", claimed_until=None)
            last = here.sync(accepts_implausible=False)
            if last.error_code == "worker_lost":
                last = here.sync()
        fresh.server_clock.now = here.clock()
        fresh.sync()

        assert last.outcome == SUCCEEDED
        assert here.stored == fresh.stored == fresh.truth
        assert fresh.provider.pk != here.provider.pk


class _DiedError(BaseException):
    pass


def _attempt(here: World, end: str) -> None:
    """One run, which ends by itself or in the middle: its worker dies, is told to stop, or loses the claim."""

    def on_progress(progress: Any) -> None:
        if not progress.days_done:
            return
        if end == "die":
            raise _DiedError
        if end == "stop":
            sync_module.stopping.set()
        if end == "stolen":
            Provider.objects.filter(pk=here.provider.pk).update(claimed_by="a thief")

    try:
        here.carry_out(here.run(), on_progress=on_progress)
    except _DiedError:
        pass
    finally:
        sync_module.stopping.clear()
        Provider.objects.filter(pk=here.provider.pk).update(claimed_by="", claimed_until=None)

"""Edits of the truth: each does what its name says, to the answers and to rows and totals alike."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from elevenlabs_sync.simulator import Cost, SimulatedWorkspace
from elevenlabs_sync.simulator.cast import KEYLESS, SimulatedKey
from elevenlabs_sync.simulator.routes import SERVICE_ACCOUNTS_PATH, SUBSCRIPTION_PATH
from tests.simulation import Edit, EditedWorkspace, FaultySimulator, WorkspaceEdits
from tests.simulation.calls import TODAY, exact, get, known, post_cost, post_usage, records, usage_body, within
from tests.simulation.edits import AddUsage, ChangeCurrency, Hide, Reprice, Restate, Unprice
from tests.simulation.key_edits import AddKey, DeleteKey, DisableKey, LimitKey, RenameKey

START, END = date(2026, 8, 1), date(2026, 9, 1)
DAY = date(2026, 8, 12)
NEXT_DAY = DAY + timedelta(days=1)
IVR = "northwind-ivr"
SUPPORT = "northwind-support"
FLASH = "eleven_flash_v2_5"
TURBO = "eleven_turbo_v2_5"


def edited(*edits: Edit) -> EditedWorkspace:
    return EditedWorkspace(TODAY, edits=WorkspaceEdits(*edits))


def key_of(workspace: EditedWorkspace, slug: str) -> SimulatedKey:
    return next(key for key in workspace.cast if key.slug == slug)


def listed(server: FaultySimulator) -> dict[str, dict[str, Any]]:
    """The keys that the service accounts show, by name."""
    accounts = get(server, SERVICE_ACCOUNTS_PATH).json()["service-accounts"]
    return {key["name"]: key for account in accounts for key in account["api-keys"]}


@pytest.mark.parametrize(
    "edit",
    [
        Restate(START, END, factor=Decimal("1.1")),
        Restate(DAY, NEXT_DAY, key=IVR, factor=Decimal("0.37")),
        Restate(model=FLASH, factor=Decimal(2)),
        Reprice(START, END, key=SUPPORT, model=TURBO, factor=Decimal("0.5")),
        Reprice(START, END, cost=Decimal("0.1234567891")),
        Unprice(START, DAY),
        Hide(START, DAY, key=IVR),
        AddUsage(IVR, DAY, FLASH, credits=Decimal(7), requests=3, cost=Decimal("0.0000000001")),
        AddUsage("keyless", DAY, "", minutes=Decimal("0.5"), cost=None),
        ChangeCurrency("eur", Decimal("0.91")),
        DeleteKey(IVR, DAY),
        DisableKey(IVR, DAY, "exposed_publicly"),
        AddKey("new", "A new key", DAY),
        AddKey("new", "A person's new key", DAY, account=None, model="scribe_v1", credits_per_day=50),
    ],
    ids=lambda edit: type(edit).__name__,
)
def test_answers_follow_the_edited_truth(server: FaultySimulator, workspace: EditedWorkspace, edit: Edit) -> None:
    """An edit that is added while the server runs changes the truth, and every row of the answer says the same."""
    before = list(workspace.rows(START, END)), workspace.currency
    workspace.edits.add(edit)

    document = exact(post_usage(server, usage_body(START, END)))

    rows = within(records(document), START, END)
    measures = ("total_usage", "total_minutes", "usage_count", "total_cost")
    told = {
        (row["hashed_xi_api_key"], row["model"], row["timestamp"][:10]): tuple(row[name] for name in measures)
        for row in rows
        if row["total_cost"] is None or any(row[name] for name in measures)
    }
    truth = list(workspace.rows(START, END))
    assert told == {
        (row.key_hash, row.model, row.day.isoformat()): (row.credits, row.minutes, row.requests, row.cost)
        for row in truth
    }
    assert document["column_units"][document["columns"].index("total_cost")] == workspace.currency
    assert (truth, workspace.currency) != before


def test_a_restatement_multiplies_what_is_selected_only() -> None:
    """Credits, minutes, requests and cost of one key, model and range change; the rest stays."""
    plain = list(SimulatedWorkspace(TODAY).used(START, END))

    restated = list(edited(Restate(DAY, END, key=SUPPORT, model=TURBO, factor=Decimal("1.5"))).used(START, END))

    for old, new in zip(plain, restated, strict=True):
        if old.day >= DAY and (old.slug, old.model) == (SUPPORT, TURBO):
            assert new.credits == (old.credits * Decimal("1.5")).quantize(Decimal(1))
            assert known(new.cost) == (known(old.cost) * Decimal("1.5")).quantize(Decimal("0.000001"))
            assert new.requests > old.requests
            assert new.minutes > old.minutes
        else:
            assert new == old


def test_a_restatement_to_nothing_leaves_no_row() -> None:
    """Usage that is restated to zero is not usage any more."""
    workspace = edited(Restate(DAY, NEXT_DAY, key=IVR, factor=Decimal(0)))

    days = {row.day for row in workspace.used(START, END) if row.slug == IVR}

    assert DAY not in days
    assert len(days) == 30


def test_a_new_price_leaves_usage_alone() -> None:
    """Only the cost changes, and what is not priced yet stays so under a factor."""
    plain = SimulatedWorkspace(TODAY)

    workspace = edited(Reprice(factor=Decimal(2)))

    end = TODAY + timedelta(days=1)
    assert workspace.totals(START, end).credits == plain.totals(START, end).credits
    assert workspace.totals(START, end).cost == plain.totals(START, end).cost * 2
    assert workspace.totals(START, end).unpriced_rows == plain.totals(START, end).unpriced_rows > 0


def test_an_exact_price_is_told_to_the_last_digit(server: FaultySimulator, workspace: EditedWorkspace) -> None:
    """A cost with more digits than a binary number holds comes as it was given, and also prices what was not."""
    cost = Decimal("12.345678901234567890123")
    workspace.edits.add(Reprice(TODAY, TODAY + timedelta(days=1), key=IVR, cost=cost))

    rows = records(exact(post_usage(server, usage_body(TODAY, TODAY + timedelta(days=1)))))

    assert next(row["total_cost"] for row in rows if row["api_key_name"] == "Northwind – IVR") == cost


def test_late_costs_come_on_their_day() -> None:
    """A cost is unknown until the workspace's today is the given day."""
    edits = WorkspaceEdits(Unprice(START, END, until=TODAY))

    before, then = (
        EditedWorkspace(today, edits=edits).totals(START, END) for today in (TODAY - timedelta(days=1), TODAY)
    )

    assert before.cost == 0
    assert before.unpriced_rows == len(list(SimulatedWorkspace(TODAY).rows(START, END)))
    assert then == SimulatedWorkspace(TODAY).totals(START, END)


def test_late_rows_come_on_their_day() -> None:
    """A key's rows are not there until the workspace's today is the given day."""
    edits = WorkspaceEdits(Hide(DAY, NEXT_DAY, key=IVR, until=TODAY))

    before, then = (
        {row.slug for row in EditedWorkspace(today, edits=edits).used(DAY, NEXT_DAY)}
        for today in (TODAY - timedelta(days=1), TODAY)
    )

    assert then - before == {IVR}
    assert SUPPORT in before


def test_everything_hidden_is_an_empty_workspace(server: FaultySimulator, workspace: EditedWorkspace) -> None:
    """Without usage the tables have columns and no rows, while the keys are still listed."""
    workspace.edits.add(Hide())

    document = post_usage(server, usage_body(START, END)).json()

    assert document["rows"] == []
    assert workspace.totals(START, END).credits == 0
    assert len(listed(server)) > 5


def test_an_edit_can_be_undone(workspace: EditedWorkspace) -> None:
    """Removing an equal edit, or all of them, brings the first truth back."""
    before = workspace.totals(START, END)
    workspace.edits.add(Hide(START, DAY))
    workspace.edits.add(Restate(factor=Decimal(3)))

    workspace.edits.remove(Hide(START, DAY))
    restated = workspace.totals(START, END)
    workspace.edits.clear()

    assert known(restated.credits) == known(before.credits) * 3
    assert workspace.totals(START, END) == before
    assert len(workspace.edits) == 0


def test_an_edit_that_is_not_there_cannot_be_undone() -> None:
    """Undoing what was not done is a mistake of the caller."""
    with pytest.raises(ValueError, match="no such edit"):
        WorkspaceEdits().remove(Hide())


def test_edits_act_in_their_order() -> None:
    """Usage that is added after a restatement is not restated, and the other way round it is."""
    more = AddUsage(IVR, DAY, "brand_new", credits=Decimal(10))
    twice = Restate(factor=Decimal(2))

    added_last, added_first = edited(twice, more), edited(more, twice)

    assert [row.credits for row in added_last.rows(DAY, NEXT_DAY) if row.model == "brand_new"] == [10]
    assert [row.credits for row in added_first.rows(DAY, NEXT_DAY) if row.model == "brand_new"] == [20]


def test_workspaces_may_share_edits() -> None:
    """A server that makes its workspace anew for each request answers with the edits of all of them."""
    edits = WorkspaceEdits()

    with FaultySimulator(lambda: EditedWorkspace(TODAY, edits=edits)) as server:
        edits.add(Hide())
        rows = post_usage(server, usage_body(START, END)).json()["rows"]

    assert rows == []


def test_edits_reach_the_cost_endpoint() -> None:
    """A workspace billed by cost tells the edited cost."""
    workspace = EditedWorkspace(TODAY, billing=Cost(), edits=WorkspaceEdits(ChangeCurrency("pln", Decimal(4))))

    with FaultySimulator(workspace) as server:
        document = exact(post_cost(server, usage_body(START, END)))

    rows = within(records(document), START, END)
    assert "pln" in document["column_units"]
    assert sum(row["total_cost"] for row in rows) == SimulatedWorkspace(TODAY).totals(START, END).cost * 4


def test_the_subscription_follows(server: FaultySimulator, workspace: EditedWorkspace) -> None:
    """Currency and credits used are those of the edited truth."""
    workspace.edits.add(ChangeCurrency("inr"))
    workspace.edits.add(Hide())

    subscription = get(server, SUBSCRIPTION_PATH).json()

    assert subscription["currency"] == subscription["current_overage"]["currency"] == "inr"
    assert subscription["character_count"] == 0


def test_a_renamed_key_has_the_name_everywhere(server: FaultySimulator, workspace: EditedWorkspace) -> None:
    """List and history show the new name under the old identity."""
    workspace.edits.add(RenameKey(IVR, "=Bold & Co"))

    rows = records(post_usage(server, usage_body(START, END)).json())

    key_hash = workspace.key_hash(key_of(workspace, IVR))
    assert {row["api_key_name"] for row in rows if row["hashed_xi_api_key"] == key_hash} == {"=Bold & Co"}
    assert listed(server)["=Bold & Co"]["hashed_xi_api_key"] == key_hash


def test_a_renamed_key_keeps_its_usage() -> None:
    """Another name changes no figure."""
    renamed = edited(RenameKey(IVR, "<b>Bold & Co</b>"))

    assert renamed.totals(START, END) == SimulatedWorkspace(TODAY).totals(START, END)


def test_a_deleted_key_is_history(server: FaultySimulator, workspace: EditedWorkspace) -> None:
    """It is not listed, is not used from its last day on, and what it used before stays."""
    workspace.edits.add(DeleteKey(IVR, DAY))

    days = [row.day for row in workspace.used(START, END) if row.slug == IVR]

    assert "Northwind – IVR" not in listed(server)
    assert days == [START + timedelta(days=offset) for offset in range(11)]


def test_a_disabled_key_is_listed_with_its_reason(server: FaultySimulator, workspace: EditedWorkspace) -> None:
    """It stays in the list, says why it is disabled, and is not used any more."""
    workspace.edits.add(DisableKey(IVR, DAY, "exposed_publicly"))

    key = listed(server)["Northwind – IVR"]

    assert (key["is_disabled"], key["disable_reason"]) == (True, "exposed_publicly")
    assert max(row.day for row in workspace.used(START, END) if row.slug == IVR) < DAY


def test_a_limited_key_shows_limit_and_expiry(server: FaultySimulator, workspace: EditedWorkspace) -> None:
    """Credit limit and expiry appear in the list."""
    workspace.edits.add(LimitKey(IVR, credits=50_000, expires_on=date(2027, 1, 1)))

    key = listed(server)["Northwind – IVR"]

    assert (key["character_limit"], key["expires_at_unix"]) == (50_000, 1_798_761_600)


def test_a_new_key_is_listed_and_used(server: FaultySimulator, workspace: EditedWorkspace) -> None:
    """From its first day on it has usage, and other edits may name it."""
    workspace.edits.add(AddKey("fresh", "Fresh", DAY))
    workspace.edits.add(RenameKey("fresh", "Fresher"))

    days = [row.day for row in workspace.used(START, END) if row.slug == "fresh"]

    assert "Fresher" in listed(server)
    assert days == [DAY + timedelta(days=offset) for offset in range(20)]


def test_usage_can_be_added_to_what_is_there() -> None:
    """More usage of a model that the key used on that day becomes one row with the sums."""
    plain = next(row for row in SimulatedWorkspace(TODAY).used(DAY, NEXT_DAY) if row.slug == IVR)
    workspace = edited(AddUsage(IVR, DAY, FLASH, credits=Decimal(5), requests=2, cost=Decimal("0.1")))

    (row,) = (row for row in workspace.used(DAY, NEXT_DAY) if row.slug == IVR)

    assert (row.credits, row.requests, row.cost) == (
        plain.credits + 5,
        plain.requests + 2,
        known(plain.cost) + Decimal("0.1"),
    )


@pytest.mark.parametrize(
    ("edits", "problem"),
    [
        ([Hide(key="nobody")], "no such key: nobody"),
        ([RenameKey("juniper-campaign-", "x")], "no such key"),
        ([AddKey(IVR, "x", DAY)], "there is a key northwind-ivr already"),
        ([AddKey("new", "x", DAY), AddKey("new", "y", DAY)], "there is a key new already"),
    ],
)
def test_edits_of_wrong_keys_are_refused(edits: list[Edit], problem: str) -> None:
    """A misspelt slug is an error, not a silent no-op; so is a new key that exists."""
    with pytest.raises(ValueError, match=problem):
        WorkspaceEdits(*edits)


@pytest.mark.parametrize("slug", [IVR, KEYLESS.slug, "juniper-campaign-2019"])
def test_every_slug_of_the_cast_can_be_named(slug: str) -> None:
    """Keys of any year and the web app are known."""
    assert len(WorkspaceEdits(Hide(key=slug))) == 1


def test_edits_that_mean_nothing_are_refused() -> None:
    """Impossible ranges, factors and kinds are errors of the caller."""
    with pytest.raises(ValueError, match="start"):
        Hide(END, START)
    for factor in ("-1", "NaN", "Infinity"):
        with pytest.raises(ValueError, match="factor"):
            Restate(factor=Decimal(factor))
    for both_or_none in ({}, {"factor": Decimal(1), "cost": Decimal(1)}):
        with pytest.raises(ValueError, match="either"):
            Reprice(**both_or_none)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no such service account"):
        AddKey("new", "x", DAY, account="nowhere")
    with pytest.raises(ValueError, match="no such model"):
        AddKey("new", "x", DAY, model="nothing")

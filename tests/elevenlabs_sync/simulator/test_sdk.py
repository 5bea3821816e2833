"""The official SDK reads every answer, both leniently (as it does in use) and strictly, by its own types."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from elevenlabs import (
    ElevenLabs,
    Model,
    Subscription,
    WorkspaceAnalyticsQueryResponseModel,
    WorkspaceApiKeyListResponseModel,
    WorkspaceServiceAccountListResponseModel,
)
from elevenlabs.core.api_error import ApiError
from elevenlabs.types import ColumnFilter, MetronomeUsageColumnFilter
from pydantic import TypeAdapter

from elevenlabs_sync.simulator import RESTRICTED_API_KEY, SIMULATED_API_KEY, Cost, SimulatedWorkspace, SimulatorServer
from elevenlabs_sync.simulator.routes import MODELS_PATH, SERVICE_ACCOUNTS_PATH, SUBSCRIPTION_PATH
from tests.simulation.calls import BY_KEY_AND_MODEL, TODAY, get, milliseconds, post_usage, usage_body

MONTH = TODAY.replace(day=1)


def sdk(server: SimulatorServer, key: str = SIMULATED_API_KEY) -> ElevenLabs:
    return ElevenLabs(base_url=server.base_url, api_key=key)


@pytest.fixture
def client(server: SimulatorServer) -> Iterator[ElevenLabs]:
    made = sdk(server)
    yield made
    made._client_wrapper.httpx_client.httpx_client.close()


def test_the_sdk_reads_the_subscription(client: ElevenLabs, workspace: SimulatedWorkspace) -> None:
    """The SDK finds plan, credits used and the next reset."""
    subscription = client.user.subscription.get()

    assert subscription.tier == "scale"
    assert subscription.currency == "usd"
    assert subscription.character_count == workspace.totals(MONTH, TODAY.replace(day=21)).credits
    assert subscription.next_character_count_reset_unix == datetime(2026, 10, 1, tzinfo=UTC).timestamp()


def test_the_sdk_reads_the_models(client: ElevenLabs) -> None:
    """The SDK finds a display name for every model."""
    models = client.models.list()

    assert {model.model_id for model in models} >= {"eleven_multilingual_v2", "eleven_v3", "scribe_v1"}
    assert all(model.name for model in models)


def test_the_sdk_reads_the_service_accounts(client: ElevenLabs, workspace: SimulatedWorkspace) -> None:
    """The SDK finds every listed key once, one of them disabled."""
    accounts = client.service_accounts.list().service_accounts

    keys = [key for account in accounts for key in account.api_keys]
    assert {key.hashed_xi_api_key for key in keys} == {workspace.key_hash(key) for key in workspace.listed_keys()}
    assert [key.name for key in keys if key.is_disabled] == ["Oakfield Bank – fraud alerts"]


def test_the_sdk_reads_the_keys_of_one_account(client: ElevenLabs) -> None:
    """The keys of an account are those that the list of accounts shows for it."""
    account = client.service_accounts.list().service_accounts[0]

    keys = client.service_accounts.api_keys.list(account.service_account_user_id).api_keys

    assert keys == account.api_keys
    assert all(key.service_account_user_id == account.service_account_user_id for key in keys)


def test_the_sdk_reads_usage(client: ElevenLabs, workspace: SimulatedWorkspace) -> None:
    """The SDK's usage call is understood, filter included, and its rows add up."""
    answer = client.workspace.usage.get_usage_by_product_over_time(
        start_time=milliseconds(MONTH),
        end_time=milliseconds(TODAY),
        interval_seconds=86_400,
        group_by=BY_KEY_AND_MODEL,
        filters=[ColumnFilter(column="model", operation="neq", values=["scribe_v1"])],
    )

    rows = [dict(zip(answer.columns, row, strict=True)) for row in json.loads(json.dumps(answer.rows, default=str))]
    told = sum(row["total_usage"] for row in rows if not str(row["timestamp"]).startswith(TODAY.isoformat()))
    assert told == sum(row.credits for row in workspace.used(MONTH, TODAY) if row.model != "scribe_v1")


def test_the_sdk_reads_cost() -> None:
    """The SDK's call for workspaces billed by cost is understood, filter included, and its rows add up."""
    workspace = SimulatedWorkspace(TODAY, billing=Cost())
    with SimulatorServer(workspace) as server:
        client = sdk(server)

        answer = client.workspace.usage.get_usage(
            start_time=milliseconds(MONTH),
            end_time=milliseconds(TODAY),
            interval_seconds=86_400,
            group_by=BY_KEY_AND_MODEL,
            filters=[MetronomeUsageColumnFilter(column="model", operation="not_in", values=["scribe_v1"])],
        )
        client._client_wrapper.httpx_client.httpx_client.close()

    rows = [dict(zip(answer.columns, row, strict=True)) for row in json.loads(json.dumps(answer.rows, default=str))]
    told = [row["total_cost"] for row in rows if not str(row["timestamp"]).startswith(TODAY.isoformat())]
    truth = [row.cost for row in workspace.rows(MONTH, TODAY) if row.model != "scribe_v1" and row.cost is not None]
    assert sum(told) == pytest.approx(float(sum(truth)))


def test_the_sdk_reads_the_old_statistics(server: SimulatorServer, workspace: SimulatedWorkspace) -> None:
    """The SDK's deprecated call works for a key without workspace analytics and tells the truth by model."""
    client = sdk(server, RESTRICTED_API_KEY)

    answer = client.usage.get(
        start_unix=milliseconds(MONTH),
        end_unix=milliseconds(TODAY) - 1000,
        include_workspace_metrics=True,
        breakdown_type="model",
        aggregation_interval="day",
        metric="credits",
    )

    client._client_wrapper.httpx_client.httpx_client.close()
    used = list(workspace.used(MONTH, TODAY))
    assert len(answer.time) == 19
    assert {model: sum(numbers) for model, numbers in answer.usage.items()} == {
        model: sum(row.credits for row in used if row.model == model) for model in {row.model for row in used}
    }


def test_the_sdk_sees_a_refusal_as_its_api_error(server: SimulatorServer) -> None:
    """An error answer becomes the SDK's own exception with status and body."""
    client = sdk(server, RESTRICTED_API_KEY)

    with pytest.raises(ApiError) as refused:
        client.workspace.usage.get_usage_by_product_over_time(start_time=1, end_time=1)

    client._client_wrapper.httpx_client.httpx_client.close()
    assert refused.value.status_code == 401
    assert refused.value.body["detail"]["status"] == "missing_permissions"


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        (SUBSCRIPTION_PATH, Subscription),
        (MODELS_PATH, list[Model]),
        (SERVICE_ACCOUNTS_PATH, WorkspaceServiceAccountListResponseModel),
    ],
)
def test_documents_have_every_field_that_the_sdk_requires(server: SimulatorServer, path: str, shape: Any) -> None:
    """Strict validation by the SDK's types, which the SDK itself skips, finds nothing missing or mistyped."""
    text = get(server, path).text

    read = TypeAdapter(shape).validate_json(text)

    assert read


def test_an_accounts_keys_have_every_field_that_the_sdk_requires(server: SimulatorServer) -> None:
    """The list of one account's keys passes strict validation too."""
    account = get(server, SERVICE_ACCOUNTS_PATH).json()["service-accounts"][0]["service_account_user_id"]

    text = get(server, f"{SERVICE_ACCOUNTS_PATH}/{account}/api-keys").text

    assert WorkspaceApiKeyListResponseModel.model_validate_json(text).api_keys


def test_the_usage_answer_has_the_sdks_shape(server: SimulatorServer) -> None:
    """The table passes strict validation by the SDK's type."""
    text = post_usage(server, usage_body(MONTH, TODAY)).text

    table = WorkspaceAnalyticsQueryResponseModel.model_validate_json(text)

    assert len(table.columns) == len(table.column_types) == len(table.column_units)
    assert {len(row) for row in table.rows} == {len(table.columns)}

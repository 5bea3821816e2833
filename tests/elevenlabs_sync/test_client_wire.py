"""The HTTP client over the wire: faults, deadlines, redirects and proxies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.simulator import SIMULATED_API_KEY
from elevenlabs_sync.simulator.routes import MODELS_PATH, USAGE_PATH
from syncing.errors import AnswerTooLargeError, ProviderError, UnavailableError, UnexpectedResponseError
from syncing.words import sentence
from tests.elevenlabs_sync.clients import HOST, refused
from tests.factories import API_KEY, TODAY
from tests.simulation import EditedWorkspace, FaultySimulator, faults


@pytest.fixture
def server() -> Iterator[FaultySimulator]:
    with FaultySimulator(EditedWorkspace(TODAY, history_days=3)) as running:
        yield running


def asking(server: FaultySimulator, *, deadline: float = 30) -> ElevenLabsClient:
    return ElevenLabsClient(
        base_url=server.base_url, api_key=SIMULATED_API_KEY, user_agent="Administrate/1", deadline=deadline
    )


def usage(client: ElevenLabsClient) -> Any:
    return client.usage_by_product(
        start=datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC) - timedelta(days=3),
        end=datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC),
    )


def test_usage_is_fetched_over_the_wire(server: FaultySimulator) -> None:
    """The simulated workspace answers with a table."""
    with asking(server) as client:
        assert usage(client)["columns"][:3] == ["hashed_xi_api_key", "model", "timestamp"]


def test_connection_is_kept_for_the_next_request(server: FaultySimulator) -> None:
    """Several requests of one client work, also after one that broke off."""
    server.faults.add(MODELS_PATH, faults.CutConnection())

    with asking(server) as client:
        assert type(refused(client)) is UnavailableError
        assert client.models()
        assert client.models()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.CutConnection(), UnavailableError),
        (faults.ConnectionReset(), UnavailableError),
        (faults.CutJson(), UnexpectedResponseError),
        (faults.EmptyBody(), UnexpectedResponseError),
        (faults.Html(200), UnexpectedResponseError),
        (faults.ContentType(), UnexpectedResponseError),
        (faults.ErrorStatus(503, headers={"content-encoding": "gzip"}), UnavailableError),
        (faults.Endless(), AnswerTooLargeError),
        (faults.GzipBomb(), AnswerTooLargeError),
    ],
    ids=str,
)
def test_fault_of_the_wire_is_a_typed_error(
    server: FaultySimulator, fault: faults.Fault, kind: type[ProviderError]
) -> None:
    """Broken off, cut, empty, endless or bombed: each ends in its error."""
    server.faults.add(MODELS_PATH, fault)

    with asking(server) as client:
        assert type(refused(client)) is kind


@pytest.mark.parametrize("fault", [faults.Drip(0.01), faults.DripHeaders(0.01), faults.Delay(60)], ids=str)
def test_slow_answer_is_ended_by_the_deadline(server: FaultySimulator, fault: faults.Fault) -> None:
    """An answer that drips is unavailable, and may be asked for again."""
    server.faults.add(MODELS_PATH, fault)

    with asking(server, deadline=0.4) as client:
        error = refused(client)

    assert type(error) is UnavailableError
    assert "in time" in sentence(error, "ElevenLabs")


def test_no_server_is_unavailability() -> None:
    """Nobody listens: no connection."""
    with ElevenLabsClient(base_url="http://127.0.0.1:9", api_key=API_KEY, user_agent="x") as client:
        assert type(refused(client)) is UnavailableError


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_never_followed(server: FaultySimulator, status: int) -> None:
    """The server that is pointed at gets no request, and so no key."""
    with FaultySimulator(EditedWorkspace(TODAY, history_days=1)) as elsewhere:
        server.faults.add("/", faults.Redirect(f"{elsewhere.base_url}{USAGE_PATH}", status))

        with asking(server) as client, pytest.raises(UnexpectedResponseError, match="redirect"):
            usage(client)

        assert elsewhere.requests == []
    assert len(server.requests) == 1


def test_proxy_of_the_environment_is_not_used(server: FaultySimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable sends the key through somebody else's proxy."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    with asking(server) as client:
        assert client.models()


def test_client_shows_no_key() -> None:
    """Its repr says nothing."""
    with ElevenLabsClient(base_url=HOST, api_key=API_KEY, user_agent="x") as client:
        assert API_KEY not in f"{client!r} {client}"

"""Rotation of ENCRYPTION_KEYS as an operator does it: with processes that know other keys than the last ones did."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from cryptography.fernet import Fernet

from elevenlabs_sync.simulator import SIMULATED_API_KEY, SimulatedWorkspace, SimulatorServer
from tests.installation import sign_in
from tests.services.product import EmbeddedProduct
from tests.services.truth import today

pytestmark = pytest.mark.services


@pytest.fixture
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer(SimulatedWorkspace(today())) as server:
        yield server


def connect(product: EmbeddedProduct, name: str, key: str) -> None:
    done = product.manage(
        "connect_provider", "--type", "elevenlabs", "--name", name, "--api-key-stdin", "--region", "global", text=key
    )
    assert done.returncode == 0, done.stderr


def test_keys_are_rotated_and_a_lost_one_is_asked_for_again(
    embedded: EmbeddedProduct, simulator: SimulatorServer
) -> None:
    """New key in front, rotate, drop the old one: syncs go on. Without rotating, one provider says what it needs."""
    first, second, third = (Fernet.generate_key().decode() for _number in range(3))
    embedded.environment |= {"ELEVENLABS_BASE_URL": simulator.base_url, "SYNC_BACKFILL_DAYS": "7"}
    embedded.environment["ENCRYPTION_KEYS"] = first
    connect(embedded, "Agency", SIMULATED_API_KEY)

    embedded.environment["ENCRYPTION_KEYS"] = f"{second},{first}"
    rotated = embedded.manage("rotate_encryption_keys")
    assert rotated.returncode == 0, rotated.stderr
    assert "API keys: 1 encrypted anew" in rotated.stdout
    embedded.environment["ENCRYPTION_KEYS"] = second
    synced = embedded.manage("sync_provider", "Agency")
    assert synced.returncode == 0, synced.stderr

    embedded.environment["ENCRYPTION_KEYS"] = third
    failed = embedded.manage("sync_provider", "Agency")
    assert failed.returncode == 1
    assert "can't be decrypted with the present ENCRYPTION_KEYS: enter the key again" in failed.stderr
    assert "Traceback" not in failed.stderr
    unrotated = embedded.manage("rotate_encryption_keys")
    assert unrotated.returncode == 1
    assert "the API key of “Agency”" in unrotated.stderr

    embedded.start()
    with httpx.Client(base_url=embedded.url, follow_redirects=True, timeout=20) as visitor:
        assert sign_in(visitor) == 200
        assert visitor.get("/").status_code == 200
        page = visitor.get("/providers/1/")
        assert "Sync failed" in page.text
        assert "enter the key again" in page.text
        assert 'href="/providers/1/key/"' in page.text
    given = embedded.manage("replace_provider_key", "Agency", "--api-key-stdin", text=SIMULATED_API_KEY)
    assert given.returncode == 0, given.stderr
    again = embedded.manage("rotate_encryption_keys")
    assert (again.returncode, "0 encrypted anew, 1 already current" in again.stdout) == (0, True)

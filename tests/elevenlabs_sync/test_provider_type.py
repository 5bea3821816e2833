"""ElevenLabs as the product's pages and commands see it: trying a key, the words for what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from core.secrets import ApiKey
from elevenlabs_sync.provider_type import CHECK_DEADLINE, ElevenLabs
from elevenlabs_sync.simulator import RESTRICTED_API_KEY, SIMULATED_API_KEY, USAGE_ONLY_API_KEY
from elevenlabs_sync.simulator.routes import SERVICE_ACCOUNTS_PATH, USAGE_PATH
from providers.models import Project, Provider
from providers.registry import KeyCheck, KeyRefusedError
from tests.elevenlabs_sync.worlds import World, world
from tests.simulation import faults

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> Iterator[World]:
    """A workspace of the last ten days: the check goes by the real clock."""
    now = datetime.now(UTC)
    with world(first_day=now.date() - timedelta(days=10), now=now) as made:
        yield made


def check(key: str = SIMULATED_API_KEY, region: str = "global") -> KeyCheck:
    return ElevenLabs().check_key(ApiKey(key), region, Provider.Source.ANALYTICS)


def refusal(key: str = SIMULATED_API_KEY) -> str:
    with pytest.raises(KeyRefusedError) as caught:
        check(key)
    return str(caught.value)


def test_good_key_shows_the_keys_in_use(here: World) -> None:
    """What a second connection of the same workspace is recognised by; usage without a key tells nothing."""
    found = check(USAGE_ONLY_API_KEY).project_ids

    assert found == {external_id for external_id, _day, _model in here.truth} - {Project.KEYLESS_ID}
    assert found


def test_key_that_may_list_shows_the_listed_keys_too(here: World) -> None:
    """A workspace is recognised by keys that nobody has used."""
    used = check(USAGE_ONLY_API_KEY).project_ids

    found = check(SIMULATED_API_KEY).project_ids

    assert found > used


def test_check_asks_for_usage_and_the_listing_once(here: World) -> None:
    """A person waits: nothing else is asked, and nothing twice."""
    check()

    assert [request.path for request in here.server.requests] == [USAGE_PATH, SERVICE_ACCOUNTS_PATH]


def test_workspace_too_large_to_be_read_at_once_is_connected(here: World) -> None:
    """The key reads more than enough."""
    here.server.faults.add(USAGE_PATH, faults.GzipBomb(11_000_000))

    assert check() == KeyCheck(frozenset())


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("sk_" + "0" * 48, "ElevenLabs did not accept this key. Check that you copied all of it"),
        (RESTRICTED_API_KEY, "the key works but lacks the permission `workspace_analytics_full_read`"),
    ],
)
@pytest.mark.usefixtures("here")
def test_refused_key_is_told_why(key: str, words: str) -> None:
    """In the product's words, without the key."""
    sentence = refusal(key)

    assert sentence.startswith("Could not connect: ")
    assert words in sentence
    assert key not in sentence


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (faults.ErrorStatus(429), "Your key was not rejected. Wait a minute"),
        (faults.ErrorStatus(500), "did not answer, so the key was not checked"),
        (faults.Html(), "did not answer, so the key was not checked"),
        (faults.ConnectionReset(), "did not answer, so the key was not checked"),
        (faults.CutJson(), "could not be understood"),
    ],
    ids=str,
)
def test_answer_that_says_nothing_of_the_key_is_told_as_such(here: World, fault: faults.Fault, words: str) -> None:
    """An outage is not a bad key."""
    here.server.faults.add(USAGE_PATH, fault, times=None)

    assert words in refusal()


def test_check_ends_within_ten_seconds() -> None:
    """The deadline of its one request is shorter than what a person is promised."""
    assert CHECK_DEADLINE < 10


def test_unknown_region_calls_nobody() -> None:
    """No address comes from a text."""
    with pytest.raises(KeyError):
        check(region="http://127.0.0.1:9")

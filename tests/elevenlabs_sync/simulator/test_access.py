"""Which key may do what, and how the refusals look."""

import httpx
import pytest

from elevenlabs_sync.simulator import (
    ALL_PERMISSIONS,
    RESTRICTED_API_KEY,
    SIMULATED_API_KEY,
    USAGE_ONLY_API_KEY,
    SimulatedWorkspace,
    SimulatorServer,
    key_of,
    keys_of,
)
from elevenlabs_sync.simulator.access import DEFAULT_KEYS, REGIONS, RESIDENCIES
from elevenlabs_sync.simulator.routes import MODELS_PATH, SERVICE_ACCOUNTS_PATH, SUBSCRIPTION_PATH
from tests.simulation.calls import TODAY, get, post_usage, usage_body

BODY = usage_body(TODAY.replace(day=1), TODAY)


@pytest.mark.parametrize("key", [SIMULATED_API_KEY, RESTRICTED_API_KEY, USAGE_ONLY_API_KEY])
def test_the_keys_look_like_keys(key: str) -> None:
    """Every simulated key has the form of a real one."""
    prefix, digits = key[:3], key[3:]

    assert prefix == "sk_"
    assert len(digits) == 48
    assert set(digits) <= set("0123456789abcdef")


def test_the_full_key_may_do_everything(server: SimulatorServer) -> None:
    """The simulated key reads every endpoint."""
    answers = [get(server, path) for path in (MODELS_PATH, SERVICE_ACCOUNTS_PATH, SUBSCRIPTION_PATH)]

    answers.append(post_usage(server, BODY))

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200]


@pytest.mark.parametrize("key", [None, "", "nonsense", SIMULATED_API_KEY[:-1], "sk_" + "0" * 48])
@pytest.mark.parametrize("path", [MODELS_PATH, SERVICE_ACCOUNTS_PATH, SUBSCRIPTION_PATH])
def test_a_wrong_or_missing_key_is_invalid_everywhere(server: SimulatorServer, key: str | None, path: str) -> None:
    """Anything but a known key is refused as an invalid one."""
    response = get(server, path, key=key)

    assert response.status_code == 401
    assert response.json()["detail"]["status"] == "invalid_api_key"


def test_a_wrong_key_may_not_read_usage(server: SimulatorServer) -> None:
    """The usage endpoint refuses an unknown key before it looks at the query."""
    response = post_usage(server, {}, key="sk_" + "0" * 48)

    assert response.status_code == 401
    assert response.json()["detail"]["status"] == "invalid_api_key"


def test_a_restricted_key_lacks_the_analytics_permission(server: SimulatorServer) -> None:
    """A good key without the permission is told which one it misses, in the live wording."""
    response = post_usage(server, BODY, key=RESTRICTED_API_KEY)

    assert response.status_code == 401
    assert response.json() == {
        "detail": {
            "status": "missing_permissions",
            "message": "The API key you used is missing the permission workspace_analytics_full_read "
            "to execute this operation.",
        }
    }


def test_a_restricted_key_reads_the_rest(server: SimulatorServer) -> None:
    """Only the usage is closed to the restricted key."""
    answers = [get(server, path, key=RESTRICTED_API_KEY) for path in (MODELS_PATH, SUBSCRIPTION_PATH)]

    assert [answer.status_code for answer in answers] == [200, 200]


def test_the_usage_only_key_reads_usage_but_not_the_subscription(server: SimulatorServer) -> None:
    """Usage works without user_read, and the subscription is refused in the older shape."""
    usage = post_usage(server, BODY, key=USAGE_ONLY_API_KEY)

    subscription = get(server, SUBSCRIPTION_PATH, key=USAGE_ONLY_API_KEY)

    assert usage.status_code == 200
    assert subscription.status_code == 401
    assert subscription.json()["detail"]["status"] == "missing_permissions"
    assert "user_read" in subscription.json()["detail"]["message"]


@pytest.mark.parametrize("path", [SERVICE_ACCOUNTS_PATH, f"{SERVICE_ACCOUNTS_PATH}/anything/api-keys"])
def test_the_usage_only_key_may_not_list_keys(server: SimulatorServer, path: str) -> None:
    """Listing keys is refused with 403 in the newer shape."""
    response = get(server, path, key=USAGE_ONLY_API_KEY)

    detail = response.json()["detail"]
    assert response.status_code == 403
    assert detail["code"] == detail["status"] == "insufficient_permissions"
    assert {"type", "message", "request_id", "param"} <= set(detail)


def test_a_key_can_be_revoked_and_replaced_while_running(server: SimulatorServer) -> None:
    """Taking a key from the server's table revokes it, adding one lets it in."""
    new_key = "sk_" + "ab" * 24
    server.keys[new_key] = ALL_PERMISSIONS
    del server.keys[SIMULATED_API_KEY]

    old, new = post_usage(server, BODY), post_usage(server, BODY, key=new_key)

    assert (old.status_code, new.status_code) == (401, httpx.codes.OK)


def test_a_residencys_keys_work_only_there(workspace: SimulatedWorkspace) -> None:
    """A host of another region takes a key for an invalid one, in both directions."""
    with SimulatorServer(workspace) as here, SimulatorServer(workspace, keys=keys_of("eu")) as there:
        answers = {
            (host, region): get(server, MODELS_PATH, key=key_of(region))
            for host, server in (("global", here), ("eu", there))
            for region in ("global", "eu", "in")
        }

    assert {places for places, answer in answers.items() if answer.status_code == 200} == {
        ("global", "global"),
        ("eu", "eu"),
    }
    assert {answer.json()["detail"]["status"] for answer in answers.values() if answer.status_code != 200} == {
        "invalid_api_key"
    }


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_has_keys_of_each_kind(region: str) -> None:
    """The permissions are the same everywhere; only residencies have other keys, in the same form."""
    keys = keys_of(region)

    assert list(keys.values()) == list(DEFAULT_KEYS.values())
    assert (keys == DEFAULT_KEYS) == (region not in RESIDENCIES)
    assert {len(key) for key in keys} == {len(SIMULATED_API_KEY)}


def test_other_regions_have_no_keys() -> None:
    """A misspelt region is an error."""
    with pytest.raises(ValueError, match="no such region: moon"):
        key_of("moon")

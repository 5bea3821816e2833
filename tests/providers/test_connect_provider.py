"""manage.py connect_provider"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from elevenlabs_sync.simulator import RESTRICTED_API_KEY, SIMULATED_API_KEY, USAGE_ONLY_API_KEY
from elevenlabs_sync.simulator.routes import SUBSCRIPTION_PATH, USAGE_PATH
from providers.models import Project, Provider, SyncRun
from tests.elevenlabs_sync.worlds import World, world
from tests.factories import make_project
from tests.providers.commands import ran, refused
from tests.simulation import faults

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@pytest.fixture
def here() -> Iterator[World]:
    """A running workspace that is not connected yet."""
    with world() as made:
        made.provider.delete()
        yield made


def connect(*options: str) -> tuple[str, ...]:
    return ("connect_provider", "--type", "elevenlabs", "--name", "Production", "--api-key-stdin", *options)


@pytest.mark.usefixtures("here")
def test_provider_is_stored_and_its_id_printed() -> None:
    """The id is all that stands on standard output."""
    output = ran(*connect(), stdin=SIMULATED_API_KEY + "\n")

    provider = Provider.objects.get()
    assert output == f"{provider.pk}\n"
    assert (provider.name, provider.region, provider.type) == ("Production", "global", "elevenlabs")
    assert provider.api_key.reveal() == SIMULATED_API_KEY
    assert provider.key_last_four == SIMULATED_API_KEY[-4:]


@pytest.mark.usefixtures("here")
def test_backfill_is_left_queued() -> None:
    """The initial sync waits for a worker."""
    ran(*connect(), stdin=SIMULATED_API_KEY)

    run = SyncRun.objects.get()
    assert (run.trigger, run.started_at, run.requested_from) == (SyncRun.Trigger.CONNECT, None, None)


def test_key_is_tried_by_a_usage_request(here: World) -> None:
    """What syncing needs is what is tried: a key that may not read the subscription connects."""
    ran(*connect(), stdin=USAGE_ONLY_API_KEY)

    paths = [request.path for request in here.server.requests]
    assert paths[0] == USAGE_PATH
    assert SUBSCRIPTION_PATH not in paths


@pytest.mark.usefixtures("here")
def test_key_is_not_stored_in_clear() -> None:
    """Neither the key nor its digest's input stands in the row."""
    ran(*connect(), stdin=SIMULATED_API_KEY)

    assert SIMULATED_API_KEY not in str(Provider.objects.values().get())


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("sk_" + "0" * 48, "did not accept this key"),
        (RESTRICTED_API_KEY, "lacks the permission `workspace_analytics_full_read`"),
    ],
)
@pytest.mark.usefixtures("here")
def test_refused_key_stores_nothing(key: str, words: str) -> None:
    """A key that does not work is a failure, with the reason."""
    error = refused(*connect(), stdin=key, code=1)

    assert words in error
    assert "Could not connect" in error
    assert key not in error
    assert (Provider.objects.count(), SyncRun.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (faults.ErrorStatus(429), "limiting requests. Your key was not rejected"),
        (faults.ErrorStatus(503), "did not answer, so the key was not checked"),
        (faults.ConnectionReset(), "did not answer, so the key was not checked"),
        (faults.Html(200), "could not be understood"),
        (faults.CutJson(), "could not be understood"),
    ],
    ids=str,
)
def test_answer_that_tells_nothing_stores_nothing(here: World, fault: faults.Fault, words: str) -> None:
    """An outage says nothing of the key."""
    here.server.faults.add(USAGE_PATH, fault, times=None)

    assert words in refused(*connect(), stdin=SIMULATED_API_KEY, code=1)
    assert Provider.objects.count() == 0


@pytest.mark.parametrize(
    "key",
    ["", " \n", "two words", "sk_\u00e9", "line\nbreak", "x" * 201, "a\0b", "sk_\u202e", b"\xff\xfe\xfd" * 10],
    ids=repr,
)
def test_text_that_is_no_key_is_refused(here: World, key: str | bytes) -> None:
    """One sentence that does not repeat it, and nothing is asked of ElevenLabs."""
    error = refused(*connect(), stdin=key, code=2)

    assert "API key" in error
    assert here.server.requests == []
    assert Provider.objects.count() == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["connect_provider"], "required"),
        (["connect_provider", "--type", "other", "--name", "x", "--api-key-stdin"], "invalid choice"),
        (["connect_provider", "--type", "elevenlabs", "--name", "x"], "--api-key-stdin"),
        ([*connect("--region", "http://evil.example")], "invalid choice"),
        ([*connect("--name", "")], "name"),
        ([*connect("--name", " \t ")], "name"),
        ([*connect("--name", "n" * 121)], "120"),
        ([*connect("--name", "a\udcff")], "characters"),
        ([*connect("--api-key", "sk_x")], ""),
    ],
    ids=str,
)
def test_bad_input_is_refused(here: World, options: list[str], words: str) -> None:
    """One line on standard error, exit code 2, nothing stored, nothing asked."""
    assert words in refused(*options, stdin=SIMULATED_API_KEY, code=2)
    assert Provider.objects.count() == 0
    assert here.server.requests == []


@pytest.mark.usefixtures("here")
def test_name_is_taken_whatever_its_capitals() -> None:
    """A second provider of the same name is refused."""
    ran(*connect(), stdin=SIMULATED_API_KEY)

    error = refused(*connect("--name", "PRODUCTION"), stdin=USAGE_ONLY_API_KEY, code=2)

    assert "A provider with this name already exists." in error
    assert Provider.objects.count() == 1


@pytest.mark.usefixtures("here")
def test_name_is_stored_without_surplus_spaces() -> None:
    """Spaces at the ends and doubled ones go."""
    ran(*connect("--name", "  My   workspace "), stdin=SIMULATED_API_KEY)

    assert Provider.objects.get().name == "My workspace"


@pytest.mark.usefixtures("here")
def test_same_key_twice_is_refused() -> None:
    """One workspace connected twice would count everything twice."""
    ran(*connect(), stdin=SIMULATED_API_KEY)

    error = refused(*connect("--name", "Again"), stdin=SIMULATED_API_KEY, code=2)

    assert 'already connected as "Production"' in error


def test_other_key_of_the_same_workspace_is_refused(here: World) -> None:
    """The hashes of its API keys give the workspace away."""
    ran(*connect(), stdin=SIMULATED_API_KEY)
    workspace = here.server.current_workspace()
    known = next(key for key in workspace.cast if key.uses and not key.keyless)
    make_project(provider=Provider.objects.get(), external_id=workspace.key_hash(known))

    error = refused(*connect("--name", "Again"), stdin=USAGE_ONLY_API_KEY, code=2)

    assert 'already connected as "Production"' in error
    assert (Provider.objects.count(), Project.objects.count()) == (1, 1)

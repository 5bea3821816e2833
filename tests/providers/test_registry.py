"""Provider types register themselves and are found by their slug."""

import pytest

from providers import registry
from tests.conftest import FakeType


def test_elevenlabs_is_registered() -> None:
    """The app that syncs it has announced it."""
    assert registry.get("elevenlabs").label == "ElevenLabs"


@pytest.mark.parametrize("slug", ["", "other", "ElevenLabs"])
def test_unknown_type_is_a_key_error(slug: str) -> None:
    """Nothing else is found."""
    with pytest.raises(KeyError):
        registry.get(slug)


def test_types_are_listed_by_label(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second type is one registration."""
    monkeypatch.setattr(registry, "_types", {})
    for label in ("Zeta", "Alpha"):
        registry.register(FakeType(slug=label.lower(), label=label))

    assert [provider_type.label for provider_type in registry.all_types()] == ["Alpha", "Zeta"]

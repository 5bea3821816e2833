"""Rotation of the encryption keys: every stored secret, step by step, as often as one likes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt as decrypt_factor
from allauth.mfa.utils import encrypt as encrypt_factor
from cryptography.fernet import Fernet
from pytest_django.fixtures import Settings

from core.secrets import ApiKey
from providers.models import Provider
from providers.services.rotating import StoredToken, provider_keys, register_store, rotate_encryption_keys
from tests.factories import API_KEY, make_provider, make_user
from tests.providers.commands import ran, run

pytestmark = pytest.mark.django_db

NEW = Fernet.generate_key().decode()


@pytest.fixture
def old(settings: Settings) -> str:
    """The key that everything is encrypted with before the test puts a new one in front."""
    [key] = settings.ENCRYPTION_KEYS
    assert isinstance(key, str)
    return key


def rotate() -> str:
    return ran("rotate_encryption_keys")


def test_every_key_is_readable_with_the_new_one_alone(settings: Settings, old: str) -> None:
    """And nothing else of the provider has changed."""
    provider = make_provider()
    make_provider(api_key="sk_" + "9" * 40)
    settings.ENCRYPTION_KEYS = [NEW, old]

    assert "API keys: 2 encrypted anew, 0 already current" in rotate()

    settings.ENCRYPTION_KEYS = [NEW]
    after = Provider.objects.get(pk=provider.pk)
    assert after.api_key.reveal() == API_KEY
    assert (after.key_last_four, after.key_fingerprint) == (provider.key_last_four, provider.key_fingerprint)


def test_two_factor_secrets_are_rotated_too(settings: Settings, old: str) -> None:
    """A TOTP secret and the seed of recovery codes; a passkey holds no secret of ours."""
    user = make_user(username="ada")
    for kind, data in [
        ("totp", {"secret": encrypt_factor("JBSWY3DP")}),
        ("recovery_codes", {"seed": encrypt_factor("seed"), "used_mask": 3}),
        ("webauthn", {"name": "Laptop"}),
    ]:
        Authenticator.objects.create(user=user, type=kind, data=data)
    settings.ENCRYPTION_KEYS = [NEW, old]

    assert "Two-factor secrets: 2 encrypted anew, 0 already current" in rotate()

    settings.ENCRYPTION_KEYS = [NEW]
    stored = {factor.type: factor.data for factor in Authenticator.objects.all()}
    assert decrypt_factor(stored["totp"]["secret"]) == "JBSWY3DP"
    assert decrypt_factor(stored["recovery_codes"]["seed"]) == "seed"
    assert stored["recovery_codes"]["used_mask"] == 3
    assert stored["webauthn"] == {"name": "Laptop"}


def test_repeating_changes_nothing(settings: Settings, old: str) -> None:
    """What is encrypted with the first key is left as it is, byte for byte."""
    provider = make_provider()
    settings.ENCRYPTION_KEYS = [NEW, old]
    rotate()
    before = Provider.objects.get(pk=provider.pk).encrypted_key

    assert "API keys: 0 encrypted anew, 1 already current" in rotate()

    assert Provider.objects.get(pk=provider.pk).encrypted_key == before


def test_interrupted_rotation_goes_on_where_it_ended(settings: Settings, old: str) -> None:
    """Each key is readable at every moment."""
    for _number in range(3):
        make_provider()
    settings.ENCRYPTION_KEYS = [NEW, old]
    done = Provider.objects.order_by("pk").first()
    assert done is not None
    done.api_key = ApiKey(API_KEY)
    done.save()

    assert [provider.api_key.reveal() for provider in Provider.objects.all()] == [API_KEY] * 3
    assert "API keys: 2 encrypted anew, 1 already current" in rotate()


def test_key_that_is_replaced_meanwhile_stays(settings: Settings, old: str) -> None:
    """The newer one wins."""
    provider = make_provider()
    [stored] = provider_keys()
    provider.api_key = ApiKey("sk_" + "7" * 40)
    provider.save()

    assert not stored.replace("anything")

    assert Provider.objects.get(pk=provider.pk).api_key.reveal() == "sk_" + "7" * 40


def test_provider_without_a_key_is_left_out() -> None:
    """A disconnected one gave it up."""
    provider = make_provider()
    Provider.objects.filter(pk=provider.pk).update(encrypted_key="")

    assert "API keys: 0 encrypted anew, 0 already current" in rotate()


def test_what_no_key_decrypts_is_named_and_left_alone(settings: Settings, old: str) -> None:
    """The others are rotated, and the command says that it is not done."""
    lost = make_provider(name="Lost")
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    make_provider(name="Kept")
    [kept_with] = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [NEW, kept_with]

    with pytest.raises(AssertionError, match="None of ENCRYPTION_KEYS decrypts the API key of “Lost”"):
        rotate()

    assert Provider.objects.get(pk=lost.pk).encrypted_key == lost.encrypted_key
    settings.ENCRYPTION_KEYS = [NEW]
    assert Provider.objects.get(name="Kept").api_key.reveal() == API_KEY


def test_exit_code_tells_that_something_is_unreadable(settings: Settings) -> None:
    """1: it failed, in part."""
    make_provider(name="Lost")
    settings.ENCRYPTION_KEYS = [NEW]

    code, out, err = run("rotate_encryption_keys")

    assert code == 1
    assert "API keys: 0 encrypted anew, 0 already current" in out
    assert err.count("\n") == 1
    assert API_KEY not in err


def test_stores_of_other_apps_are_rotated(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever registers a store has its tokens replaced."""
    monkeypatch.setattr("providers.services.rotating._stores", {})
    replaced: list[str] = []

    def store() -> Iterator[StoredToken]:
        token = Fernet(settings.ENCRYPTION_KEYS[-1]).encrypt(b"text").decode()
        yield StoredToken("a thing", token, lambda new: not replaced.append(new))  # type: ignore[func-returns-value]

    register_store("Things", store)
    settings.ENCRYPTION_KEYS = [NEW, *settings.ENCRYPTION_KEYS]

    [rotation] = rotate_encryption_keys()

    assert (rotation.store, rotation.rotated, rotation.unreadable) == ("Things", 1, [])
    assert Fernet(NEW).decrypt(replaced[0]) == b"text"

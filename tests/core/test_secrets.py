"""API keys at rest and in memory: encrypted, masked, never serialised."""

from __future__ import annotations

import copy
import json
import pickle
import traceback

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from core.secrets import ApiKey, KeyUnreadableError, decrypt, encrypt, read_api_key
from tests.factories import API_KEY


def test_key_survives_encryption() -> None:
    """What is decrypted is what was encrypted."""
    assert decrypt(encrypt(ApiKey(API_KEY))).reveal() == API_KEY


def test_token_holds_no_key_and_differs_each_time() -> None:
    """Equal keys can't be told by their tokens."""
    one, other = encrypt(ApiKey(API_KEY)), encrypt(ApiKey(API_KEY))

    assert API_KEY not in one
    assert one != other
    assert one.isascii()


def test_first_encryption_key_encrypts_and_every_one_decrypts(settings: Settings) -> None:
    """A new key in front leaves the old tokens readable."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [old]
    token = encrypt(ApiKey(API_KEY))

    settings.ENCRYPTION_KEYS = [new, old]

    assert decrypt(token).reveal() == API_KEY
    assert Fernet(new).decrypt(encrypt(ApiKey(API_KEY))).decode() == API_KEY


@pytest.mark.parametrize("token", ["", "x", "gAAAAA", "\u00e9"])
def test_token_that_no_key_fits_is_unreadable(token: str) -> None:
    """A lost encryption key, or a broken row, is told as such."""
    with pytest.raises(KeyUnreadableError):
        decrypt(token)


def test_dropped_encryption_key_makes_tokens_unreadable(settings: Settings) -> None:
    """With its encryption key gone the provider needs its key again."""
    token = encrypt(ApiKey(API_KEY))

    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(KeyUnreadableError):
        decrypt(token)


@pytest.mark.parametrize("keys", [["short"], [""], []])
def test_what_is_no_encryption_key_stops_with_a_sentence(settings: Settings, keys: list[str]) -> None:
    """The sentence names the variable."""
    settings.ENCRYPTION_KEYS = keys

    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS"):
        encrypt(ApiKey(API_KEY))


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{0!r}".format, "%s".__mod__], ids=repr)
def test_every_rendering_is_masked(show: object) -> None:
    """repr, str and every kind of formatting."""
    assert callable(show)
    assert show(ApiKey(API_KEY)) == "ApiKey(••••)"


def test_traceback_with_variables_is_masked() -> None:
    """An error report that shows local variables shows the mask."""
    api_key = ApiKey(API_KEY)

    with pytest.raises(TypeError) as caught:
        len(api_key)  # type: ignore[arg-type]

    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())

    assert API_KEY not in shown
    assert "ApiKey(••••)" in shown


@pytest.mark.parametrize("serialise", [pickle.dumps, json.dumps, copy.copy, copy.deepcopy], ids=repr)
def test_key_is_never_serialised(serialise: object) -> None:
    """No message, cache or session can hold it."""
    assert callable(serialise)
    with pytest.raises(TypeError):
        serialise(ApiKey(API_KEY))


def test_key_has_no_readable_attributes() -> None:
    """There is no __dict__ for a debugger to print."""
    assert not hasattr(ApiKey(API_KEY), "__dict__")


@pytest.mark.parametrize(("key", "shown"), [(API_KEY, "3d4c"), ("a" * 11, ""), ("abcdefgh1234", "1234"), ("", "")])
def test_only_the_end_of_a_long_key_is_shown(key: str, shown: str) -> None:
    """Four characters of a short key would be much of it."""
    assert ApiKey(key).last_four == shown


def test_fingerprint_tells_equal_keys(settings: Settings) -> None:
    """It is the same for the same key, different for another, and keyed with our own secret."""
    one = ApiKey(API_KEY).fingerprint

    assert one == ApiKey(API_KEY).fingerprint != ApiKey(API_KEY + "0").fingerprint
    assert len(one) == 64
    settings.SECRET_KEY = "another"
    assert ApiKey(API_KEY).fingerprint != one


@pytest.mark.parametrize("text", [API_KEY, f"  {API_KEY}\n", "x", "a" * 200])
def test_typed_key_is_trimmed(text: str) -> None:
    """Spaces around a pasted key are not part of it."""
    assert read_api_key(text).reveal() == text.strip()


@pytest.mark.parametrize("text", ["", " \t\r\n "])
def test_blank_key_is_asked_for(text: str) -> None:
    """Nothing typed."""
    with pytest.raises(ValueError, match="Enter an API key"):
        read_api_key(text)


@pytest.mark.parametrize("text", [f"{API_KEY} x", f"{API_KEY}\nx", "a" * 201, "sk_\u00e9", "sk_\0", "sk_\x7f", "ｓｋ"])
def test_text_that_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    """Whatever could not stand in a header is no key; the sentence does not quote it."""
    with pytest.raises(ValueError, match="This is not an API key") as caught:
        read_api_key(text)

    assert text not in str(caught.value)

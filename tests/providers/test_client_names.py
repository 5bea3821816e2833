"""Which clients the names of keys suggest."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.client_names import Client, clients_in

pytestmark = pytest.mark.any_engine


def clients(*names: str, known: tuple[str, ...] = ()) -> dict[str, set[str]]:
    return {client.name: set(client.items) for client in clients_in(((name, name) for name in names), known=known)}


def only(*names: str, known: tuple[str, ...] = ()) -> Client[str]:
    (client,) = clients_in(((name, name) for name in names), known=known)
    return client


@pytest.mark.parametrize(
    ("name", "client"),
    [
        ("Harbor Clinic – reminders", "Harbor Clinic"),
        ("Harbor Clinic - intake transcripts", "Harbor Clinic"),
        ("Globex: IVR", "Globex"),
        ("Globex | hotline", "Globex"),
        ("acme_prod_tts", "Acme"),
        ("prod-acme-tts", "Acme"),
        ("ACME_prod", "ACME"),
        ("Acme prod", "Acme"),
        ("Acme Corp test – voice", "Acme Corp"),
        ("Städtische Werke – Hotline", "Städtische Werke"),
        ("شركة النور – دعم", "شركة النور"),
        ("prod: Initech", "Initech"),
    ],
)
def test_first_part_of_a_name_is_the_client(name: str, client: str) -> None:
    """Whatever separates it, without what says where the key runs."""
    assert clients(name) == {client: {name}}


@pytest.mark.parametrize("name", ["", "   ", "prod", "Dana's laptop", "prod_tts", "key", "– –", "12345", "v2: test"])
def test_name_that_says_no_client_suggests_none(name: str) -> None:
    """Nothing is guessed."""
    assert clients(name) == {}


def test_spellings_of_one_client_are_one() -> None:
    """Called as the best spelt of them."""
    names = ("acme_prod_tts", "Acme – support", "ACME: ivr")

    (found,) = clients(*names).values()

    assert found == set(names)


def test_longer_name_that_others_have_wins() -> None:
    """A first word alone may be half of a name."""
    names = ("Harbor Clinic – reminders", "harbor-clinic-ivr", "Harbor Clinic hotline")

    assert clients(*names) == {"Harbor Clinic": set(names)}


def test_company_that_there_is_is_recognised() -> None:
    """By its name, in its spelling."""
    assert clients("bluebird hotline 2", "blue_bird", known=("Bluebird",)) == {
        "Bluebird": {"bluebird hotline 2", "blue_bird"},
    }


def test_agency_s_own_keys_come_last_and_are_marked() -> None:
    """They are no client's."""
    found = clients_in((name, name) for name in ("Internal – sandbox", "Zeta – ivr"))

    assert [(client.name, client.is_own) for client in found] == [("Zeta", False), ("Internal", True)]


@pytest.mark.parametrize(
    ("names", "prefix"),
    [
        (("Harbor Clinic – reminders", "Harbor Clinic – intake"), "Harbor Clinic –"),
        (("acme_prod_tts", "acme_dev"), "acme_"),
        (("Globex: IVR",), "Globex:"),
        (("Acme – support", "acme_prod"), "acme"),
        (("prod-acme-tts",), ""),
    ],
)
def test_prefix_is_what_a_rule_goes_by(names: tuple[str, ...], prefix: str) -> None:
    """With its separator where all have the same; none where the client does not stand first."""
    assert only(*names).prefix == prefix


def test_prefix_that_begins_another_name_is_none() -> None:
    """A rule must not take another client's keys."""
    prefixes = {
        client.name: client.prefix
        for client in clients_in((name, name) for name in ("Ann prod", "Anna – hotline", "Ann – ivr"))
    }

    assert prefixes == {"Ann": "", "Anna": "Anna –"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=12))
def test_any_names_are_grouped_once(names: list[str]) -> None:
    """Each at most in one client, and no rule begins what is not its client's."""
    found = clients_in(enumerate(names))

    grouped = [item for client in found for item in client.items]
    assert len(grouped) == len(set(grouped))
    for client in found:
        others = [name for number, name in enumerate(names) if number not in client.items]
        if client.prefix:
            assert all(names[item].casefold().startswith(client.prefix.casefold()) for item in client.items)
            same = {names[item] for item in client.items}
            assert not any(n.casefold().startswith(client.prefix.casefold()) for n in others if n not in same)

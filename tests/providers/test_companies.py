"""Companies: one of a name, archived and restored, and told to the audit log."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from providers.models import Company
from providers.services.companies import archive_company, get_or_create_company, restore_company, save_company
from tests.factories import NOW, make_company, make_user
from tests.providers.listening import Told

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("stored", "name"), [("Acme", "Acme"), ("Acme", "ACME"), ("Acme", "  acme "), ("Äcme Çelik", "äcme  ÇELIK")]
)
def test_company_is_found_whatever_its_capitals(stored: str, name: str) -> None:
    """One company of a name, in any alphabet and on either database."""
    company = make_company(name=stored)

    assert get_or_create_company(name=name) == (company, False)


@pytest.mark.parametrize("name", ["", "  ", "c" * 121])
def test_company_without_a_fitting_name_is_not_made(name: str) -> None:
    """Blank or too long."""
    with pytest.raises(ValidationError):
        get_or_create_company(name=name)

    assert Company.objects.count() == 0


def test_archived_company_is_not_taken_for_a_new_one() -> None:
    """Whoever names it is told, instead of assigning keys to a client that has left."""
    make_company(name="Acme", archived_at=NOW)

    with pytest.raises(ValidationError, match="Acme is archived"):
        get_or_create_company(name="acme")


@pytest.mark.django_db(transaction=True)
def test_people_who_name_the_same_company_at_once_get_the_same_one() -> None:
    """Nobody meets the database's complaint."""
    results: list[tuple[int, bool]] = []
    errors: list[Exception] = []
    barrier = threading.Barrier(5)

    def name_it() -> None:
        try:
            barrier.wait()
            company, is_new = get_or_create_company(name="Acme")
            results.append((company.pk, is_new))
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=name_it) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert len({pk for pk, _is_new in results}) == 1
    assert [is_new for _pk, is_new in results].count(True) == 1


def test_changed_company_tells_what_changed(told: Told) -> None:
    """And nothing else; saving the same again tells nothing."""
    user = make_user()
    company = make_company(name="Acme", notes="x" * 1000)

    company.name, company.markup_percent = " Acme  Ltd", Decimal("12.50")
    save_company(company=company, made_by=user)
    save_company(company=Company.objects.get(), made_by=user)

    (act,) = told.acts
    assert (act.action, act.target, act.actor) == ("company.changed", company, user)
    assert act.old == {"name": "Acme", "markup_percent": None}
    assert act.new == {"name": "Acme Ltd", "markup_percent": "12.5"}


def test_long_notes_reach_the_audit_log_shortened(told: Told) -> None:
    """It is a log, not an archive."""
    save_company(company=Company(name="Acme", notes="x" * 1000))

    assert told.actions == ["company.created"]
    assert len(told.acts[0].new["notes"]) < 200


def test_name_of_another_company_is_refused() -> None:
    """Also where the database alone would not notice."""
    make_company(name="ÉCLAIR")

    with pytest.raises(ValidationError, match="already exists"):
        save_company(company=Company(name="éclair"))

    assert Company.objects.count() == 1


def test_archiving_and_restoring_happen_once(told: Told) -> None:
    """A second click changes and tells nothing."""
    company = make_company()

    archive_company(company=company, now=NOW)
    archive_company(company=company, now=NOW)
    archived_at = Company.objects.get().archived_at
    restore_company(company=company)
    restore_company(company=company)

    assert archived_at == NOW
    assert Company.objects.get().archived_at is None
    assert [act.new for act in told.acts] == [{"archived": True}, {"archived": False}]


def test_name_with_a_control_character_is_refused() -> None:
    """It would break files and terminals."""
    with pytest.raises(ValidationError, match="control characters"):
        get_or_create_company(name="Ac\x1bme")
    with pytest.raises(ValidationError, match="control characters"):
        save_company(company=Company(name="Ac\x1bme"))

    assert not Company.objects.exists()

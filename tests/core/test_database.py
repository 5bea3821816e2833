"""Bringing the database up to date before it is used."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from pytest_django.fixtures import Settings

from core.database import NotMigratedError, carry_out, emptied, ensure_migrated, is_migrated, planned

pytestmark = pytest.mark.django_db


def forget_a_migration() -> None:
    """As if the code were newer than the database; of a migration that can be applied again."""
    MigrationRecorder(connection).record_unapplied("contenttypes", "0002_remove_content_type_name")


def test_migrated_database_is_recognised() -> None:
    """Every migration of this code was applied."""
    assert is_migrated()


def test_newer_code_is_recognised() -> None:
    """One migration is missing."""
    forget_a_migration()

    assert not is_migrated()


def test_production_is_told_to_migrate(settings: Settings) -> None:
    """There that is the operator's act."""
    settings.EMBEDDED = False
    forget_a_migration()

    with pytest.raises(NotMigratedError, match=r"manage\.py migrate"):
        ensure_migrated()

    assert not is_migrated()


def test_up_to_date_database_is_left_alone(settings: Settings) -> None:
    """Neither mode does anything."""
    for embedded in (True, False):
        settings.EMBEDDED = embedded
        ensure_migrated()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite compiles nothing.")
def test_postgresql_neither_compiles_nor_shares_out_statements_of_a_page() -> None:
    """Which takes longer than carrying them out; and sums are hashed in memory."""
    names = ("jit", "max_parallel_workers_per_gather", "work_mem")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(['current_setting(%s)'] * len(names))}", names)

        assert cursor.fetchone() == ("off", "0", "32MB")


@pytest.mark.django_db(transaction=True)
def test_temporary_table_is_empty_whatever_the_last_transaction_left() -> None:
    """One that was committed, one that was rolled back, and an earlier use within the same one."""

    def rows() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM staged_numbers")
            ((number,),) = cursor.fetchall()
        return int(number)

    def used() -> None:
        carry_out(emptied("staged_numbers", "number bigint"))
        assert rows() == 0
        carry_out([("INSERT INTO staged_numbers VALUES (%s), (%s)", [1, 2])])
        assert rows() == 2

    with transaction.atomic():
        used()
    with transaction.atomic():
        used()
        transaction.set_rollback(True)
    with transaction.atomic():
        used()
        used()


@pytest.mark.django_db(transaction=True)
def test_planned_statement_is_the_same_with_any_parameters_and_after_a_transaction_that_was_rolled_back() -> None:
    """Its plan lasts as long as the connection; a new one makes its own."""

    def added(one: int, other: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(*planned("SELECT CAST(%s AS integer) + CAST(%s AS integer)", (one, other)))
            ((result,),) = cursor.fetchall()
        return int(result)

    with transaction.atomic():
        first = added(1, 2)
        transaction.set_rollback(True)
    second = added(3, 4)
    connection.close()

    assert (first, second, added(5, 6)) == (3, 7, 11)

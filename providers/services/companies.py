"""Making, changing, archiving, restoring and deleting companies."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from core.audit import audit_event
from providers.models import Company
from providers.models.company import NAME_TAKEN, check_name
from providers.services.periods import archived_sentence

# Notes may be a page long; the audit log holds how they begin.
LONGEST_FACT = 150


@transaction.atomic
def get_or_create_company(*, name: str, made_by: User | None = None) -> tuple[Company, bool]:
    """The company of this name, whatever its capitals; made if there is none.

    Raises ValidationError where the name fits none, or where the company is archived.
    """
    name = " ".join(name.split())
    company = Company.objects.named(name).first()
    if company is None:
        made = Company(name=name)
        made.clean_fields()
        check_name(name)
        try:
            with transaction.atomic():
                made.save()
        except IntegrityError:  # a concurrent request made it between the two statements
            company = Company.objects.named(name).first()
        else:
            audit_event("company.created", made, actor=made_by, new={"name": made.name})
            return made, True
    if company is None:
        raise ValidationError(NAME_TAKEN)
    if company.archived_at is not None:
        raise ValidationError(archived_sentence(company.name))
    return company, False


def save_company(*, company: Company, made_by: User | None = None) -> None:
    """Store a company that has been made or changed; raises ValidationError where the name is taken."""
    try:
        with transaction.atomic():
            # As of others who save at this moment: the row's lock comes first.
            stored = Company.objects.select_for_update(no_key=True).filter(pk=company.pk).first()
            company.clean()
            company.save()
            new = _facts(company)
            old = _facts(stored) if stored else dict.fromkeys(new)
            changed = [name for name in new if new[name] != old[name]]
            if changed:
                audit_event(
                    "company.changed" if stored else "company.created",
                    company,
                    actor=made_by,
                    old={name: _short(old[name]) for name in changed} if stored else {},
                    new={name: _short(new[name]) for name in changed if stored or new[name]},
                )
    except IntegrityError:  # the same name, made between the two statements
        raise ValidationError({"name": NAME_TAKEN}) from None


@transaction.atomic
def archive_company(*, company: Company, now: datetime, made_by: User | None = None) -> None:
    """Offer it no longer; what belongs to it goes on belonging to it, and its rules rest."""
    if Company.objects.filter(pk=company.pk, archived_at=None).update(archived_at=now):
        audit_event("company.changed", company, actor=made_by, old={"archived": False}, new={"archived": True})


@transaction.atomic
def restore_company(*, company: Company, made_by: User | None = None) -> None:
    if Company.objects.filter(pk=company.pk).exclude(archived_at=None).update(archived_at=None):
        audit_event("company.changed", company, actor=made_by, old={"archived": True}, new={"archived": False})


@transaction.atomic
def delete_company(*, company: Company, made_by: User | None = None) -> None:
    """For one that nothing refers to; raises ProtectedError otherwise. A client that has left is archived instead."""
    audit_event("company.deleted", company, actor=made_by, old={"name": company.name})
    company.delete()


def _facts(company: Company) -> dict[str, str | None]:
    """The fields of a company that the audit log records, as text."""
    markup = company.markup_percent
    return {
        "name": company.name,
        "notes": company.notes,
        "markup_percent": None if markup is None else f"{markup.normalize():f}",
        "statement_amounts": company.statement_amounts or None,
        "statement_lines": company.statement_lines,
    }


def _short(value: str | None) -> str | None:
    return value if value is None or len(value) <= LONGEST_FACT else f"{value[:LONGEST_FACT]}…"

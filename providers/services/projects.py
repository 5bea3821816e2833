"""Creating and updating a provider's projects from its listings of keys and agents, and from its usage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from providers.models import Project, Provider
from providers.registry import words_of
from providers.services.periods import lock_providers
from providers.services.rules import assign_new_projects
from providers.signals import notify_sharing_changed


@dataclass(frozen=True)
class ListedProject:
    """An API key or an agent as the provider's own listing describes it."""

    external_id: str
    name: str
    hint: str = ""
    is_disabled: bool = False
    disabled_reason: str = ""
    is_archived: bool = False
    tags: tuple[str, ...] = ()
    expires_at: datetime | None = None
    credit_limit: int | None = None
    credits_used: int | None = None


@transaction.atomic(savepoint=False)
def record_listed_projects(
    *,
    provider: Provider,
    listed: Iterable[ListedProject],
    now: datetime,
    kind: Project.Kind = Project.Kind.KEY,
) -> list[str]:
    """Make or update a project for each key, or agent, of a whole listing of such.

    One that an earlier listing named and this one lacks is marked deleted; its history stays. Keys known from usage
    alone are never listed and stay as they are. New ones are assigned by the rules. Returns the ids that were left out
    because they are those of projects of another kind.
    """
    lock_providers([provider.pk])  # as whatever assigns: its order of locks
    stored = list(Project.objects.for_provider(provider))
    known = {project.external_id: project for project in stored if project.kind == kind}
    taken = {project.external_id for project in stored if project.kind != kind}
    by_id = {key.external_id: key for key in listed if key.external_id not in taken}
    left_out = sorted({key.external_id for key in listed} & taken)
    made: list[Project] = []
    changed: list[Project] = []
    decidable: list[Project] = []
    sharing_changes = False
    for external_id, key in by_id.items():
        project = known.get(external_id) or Project(provider=provider, external_id=external_id, kind=kind)
        before = _described(project)
        if (key.name and not project.name) or set(key.tags) - set(project.tags):
            decidable.append(project)
        project.name = key.name or project.name
        project.hint = key.hint
        project.disabled_at = (project.disabled_at or now) if key.is_disabled else None
        project.disabled_reason = key.disabled_reason if key.is_disabled else ""
        project.archived_at = (project.archived_at or now) if key.is_archived else None
        project.tags = list(key.tags)
        project.expires_at = key.expires_at
        project.credit_limit = key.credit_limit
        project.credits_used = key.credits_used
        sharing_changes = sharing_changes or project.deleted_at is not None
        project.deleted_at = None
        first_listing = project.listed_at is None
        project.listed_at = now if first_listing else project.listed_at
        if project.pk is None:
            made.append(project)
        elif first_listing or _described(project) != before:
            changed.append(project)
    for external_id, project in known.items():
        if external_id not in by_id and project.listed_at is not None and project.deleted_at is None:
            project.deleted_at = now
            sharing_changes = True
            changed.append(project)
    Project.objects.bulk_create(made)
    Project.objects.bulk_update(changed, [*_DESCRIPTION, "listed_at"], batch_size=500)
    assign_new_projects(provider=provider, projects=decidable)
    if sharing_changes:
        notify_sharing_changed(provider)
    return left_out


@transaction.atomic(savepoint=False)
def projects_for_usage(
    *, provider: Provider, names: Mapping[str | None, str], kinds: Mapping[str | None, str] | None = None
) -> dict[str | None, int]:
    """The project ids for the keys that usage names, by external id; None is the usage without any key.

    Missing projects are made: keys, but for those in ``kinds``. A name that the usage reports is taken over where no
    listing names the key. New keys are assigned by the rules.
    """
    of_kind = kinds or {}
    wanted = {_external_id(key): name for key, name in names.items()}
    # In the order in which assigning locks them too: whoever writes usage updates its projects in the same transaction.
    stored = Project.objects.for_provider(provider).select_for_update(no_key=True).order_by("pk")
    ids: dict[str, int] = {}
    new_names: dict[int, str] = {}
    for pk, external_id, name, listed_at in stored.values_list("pk", "external_id", "name", "listed_at"):
        ids[external_id] = pk
        if listed_at is None and wanted.get(external_id) and name != wanted[external_id]:
            new_names[pk] = wanted[external_id]
    made = [
        Project(
            provider=provider,
            external_id=external_id,
            kind=_KINDS.get(external_id) or of_kind.get(external_id, Project.Kind.KEY),
            name=name or (words_of(provider.type).keyless_name if external_id == Project.KEYLESS_ID else ""),
        )
        for external_id, name in wanted.items()
        if external_id not in ids
    ]
    renamed = list(Project.objects.filter(pk__in=new_names)) if new_names else []
    first_named = [*made, *(project for project in renamed if not project.name)]
    for project in renamed:
        project.name = new_names[project.pk]
    Project.objects.bulk_create(made)
    Project.objects.bulk_update(renamed, ["name"], batch_size=500)
    assign_new_projects(provider=provider, projects=first_named)
    ids |= {project.external_id: project.pk for project in made}
    return {key: ids[_external_id(key)] for key in names}


def _external_id(key: str | None) -> str:
    return Project.KEYLESS_ID if key is None else key


_KINDS = {Project.KEYLESS_ID: Project.Kind.KEYLESS, Project.ACCOUNT_ID: Project.Kind.ACCOUNT}
_DESCRIPTION = (
    "name",
    "hint",
    "disabled_at",
    "disabled_reason",
    "archived_at",
    "tags",
    "deleted_at",
    "expires_at",
    "credit_limit",
    "credits_used",
)


def _described(project: Project) -> tuple[object, ...]:
    return tuple(getattr(project, field) for field in _DESCRIPTION)

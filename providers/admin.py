"""The Django admin for operators: look things up, correct labels and notes, start and pause syncs.

A provider is connected on its own page, where its key is tried first; here none can be
added, and no key can be seen or changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.admin_lists import OfferedOnly
from core.request_helpers import person
from providers.forms.fields import NameField
from providers.models import (
    Assignment,
    AssignmentChange,
    AssignmentRule,
    AssignmentShare,
    Company,
    Project,
    Provider,
    SyncRun,
)
from providers.services.companies import archive_company, delete_company, restore_company, save_company
from providers.services.labelling import label_project
from providers.services.managing import pause_provider, rename_provider, resume_provider
from providers.services.queueing import enqueue_quietly, request_manual_sync

RESYNC_DAYS = 35

# What may be edited here in one line is a name.
NAMES: Mapping[type[models.Field[Any, Any]], Mapping[str, Any]] = {models.CharField: {"form_class": NameField}}


class NoAdding:
    """Rows that only the product itself makes."""

    def has_add_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


class ReadOnly(NoAdding):
    """Rows that are only looked at."""

    def has_change_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


@admin.register(Provider)
class ProviderAdmin(NoAdding, OfferedOnly):
    formfield_overrides = NAMES
    list_display = ("name", "type", "region", "state", "last_synced_at", "key_ending")
    list_filter = ("type", "region")
    search_fields = ("name",)
    fields = (
        "name", "type", "region", "key_ending", "state", "failure_text", "paused_at", "last_synced_at", "next_due_at",
        "history_from", "currency", "keyless_sharing", "created_at",
    )  # fmt: skip
    readonly_fields = tuple(field for field in fields if field != "name")
    actions = ("sync_now", "resync", "pause", "resume")

    @admin.display(description="Status")
    def state(self, provider: Provider) -> str:
        return str(provider.status(timezone.now()).label)

    @admin.display(description="API key")
    def key_ending(self, provider: Provider) -> str:
        return f"••••{provider.key_last_four}"

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def save_model(self, _request: HttpRequest, obj: Provider, _form: object, _change: object) -> None:
        """Its name is all that can be changed."""
        rename_provider(provider=obj, name=obj.name)

    @admin.action(description="Sync now")
    def sync_now(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        self._request(request, queryset, days=None)

    @admin.action(description=f"Re-sync the last {RESYNC_DAYS} days")
    def resync(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        self._request(request, queryset, days=RESYNC_DAYS)

    @admin.action(description="Pause")
    def pause(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        providers = list(queryset.filter(paused_at=None, disconnected_at=None))
        for provider in providers:
            pause_provider(provider=provider, now=timezone.now())
        messages.success(request, f"{len(providers)} paused. Their history stays.")

    @admin.action(description="Resume")
    def resume(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        providers = list(queryset.exclude(paused_at=None).filter(disconnected_at=None))
        for provider in providers:
            resume_provider(provider=provider, now=timezone.now())
        messages.success(request, f"{len(providers)} resumed. They sync within a minute.")

    def _request(self, request: HttpRequest, providers: QuerySet[Provider], *, days: int | None) -> None:
        now = timezone.now()
        unreachable = 0
        for provider in providers.filter(disconnected_at=None):
            run = request_manual_sync(
                provider=provider,
                now=now,
                first=now.date() - timedelta(days=days - 1) if days else None,
                last=now.date() if days else None,
            )
            unreachable += not enqueue_quietly(run=run, now=now)
        if unreachable:
            messages.warning(request, "The queue is unreachable. The syncs start by themselves when it is back.")
        else:
            messages.success(request, "The syncs were queued.")


@admin.register(Project)
class ProjectAdmin(NoAdding, OfferedOnly):
    formfield_overrides = NAMES
    list_display = ("display_name", "provider", "kind", "first_used_on", "last_used_on", "disabled_at", "deleted_at")
    list_filter = ("provider", "kind")
    list_select_related = ("provider",)
    search_fields = ("name", "label", "external_id")
    fields = (
        "provider", "kind", "external_id", "name", "label", "hint", "first_used_on", "last_used_on", "disabled_at",
        "disabled_reason", "deleted_at",
    )  # fmt: skip
    readonly_fields = tuple(field for field in fields if field != "label")

    def save_model(self, request: HttpRequest, obj: Project, _form: object, _change: object) -> None:
        label_project(project=obj, label=obj.label, made_by=person(request))

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


@admin.register(Company)
class CompanyAdmin(OfferedOnly):
    """A company that anything refers to can't be deleted; archive it instead."""

    formfield_overrides = NAMES
    list_display = ("name", "archived_at", "created_at")
    search_fields = ("name",)
    fields = ("name", "notes", "markup_percent", "archived_at")
    readonly_fields = ("archived_at",)
    actions = ("archive", "restore")

    def save_model(self, request: HttpRequest, obj: Company, _form: object, _change: object) -> None:
        save_company(company=obj, made_by=person(request))

    def delete_model(self, request: HttpRequest, obj: Company) -> None:
        delete_company(company=obj, made_by=person(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Company]) -> None:
        for company in queryset:
            delete_company(company=company, made_by=person(request))

    @admin.action(description="Archive")
    def archive(self, request: HttpRequest, queryset: QuerySet[Company]) -> None:
        for company in queryset:
            archive_company(company=company, now=timezone.now(), made_by=person(request))
        messages.success(request, "Archived. Their history and their keys stay.")

    @admin.action(description="Restore")
    def restore(self, request: HttpRequest, queryset: QuerySet[Company]) -> None:
        for company in queryset:
            restore_company(company=company, made_by=person(request))
        messages.success(request, "Restored.")


class ShareInline(ReadOnly, admin.TabularInline):
    model = AssignmentShare


@admin.register(Assignment)
class AssignmentAdmin(ReadOnly, OfferedOnly):
    """Read-only: assigning on the provider page keeps a project's periods in order and can be undone."""

    list_display = ("project", "starts_on", "source")
    list_filter = ("source", "project__provider")
    list_select_related = ("project",)
    inlines = (ShareInline,)


@admin.register(AssignmentChange)
class AssignmentChangeAdmin(ReadOnly, OfferedOnly):
    """Who assigned what, and whether it was undone."""

    list_display = ("summary", "made_at", "made_by", "undone_at")
    list_select_related = ("made_by",)
    date_hierarchy = "made_at"


@admin.register(AssignmentRule)
class AssignmentRuleAdmin(ReadOnly, OfferedOnly):
    """Read-only: the rules' own pages keep them in order."""

    list_display = ("position", "kind", "pattern", "company", "provider")
    list_select_related = ("company", "provider")


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnly, OfferedOnly):
    list_display = (
        "provider",
        "trigger",
        "queued_at",
        "window_from",
        "window_to",
        "rows_read",
        "rows_changed",
        "outcome",
    )
    list_filter = ("outcome", "trigger", "provider")
    list_select_related = ("provider",)
    date_hierarchy = "queued_at"

"""Usage and statements in the Django admin: to look at, never to change."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.admin_lists import OfferedOnly
from costs.models import ClosedMonth, ListedUsage, Statement, StatementLine


@admin.register(ListedUsage)
class ListedUsageAdmin(OfferedOnly):
    list_display = ("day", "project", "model", "credits", "minutes", "requests", "cost", "currency", "estimated")
    list_filter = ("project__provider", "currency", "estimated")
    list_select_related = ("project",)
    search_fields = ("project__name", "model")
    date_hierarchy = "day"
    show_full_result_count = False

    def has_add_permission(self, _request: HttpRequest, _obj: ListedUsage | None = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: ListedUsage | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: ListedUsage | None = None) -> bool:
        return False


class _ReadOnly:
    """For what was frozen."""

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


@admin.register(ClosedMonth)
class ClosedMonthAdmin(_ReadOnly, OfferedOnly):
    list_display = ("__str__", "closed_at", "closed_by")
    list_select_related = ("closed_by",)


class StatementLineInline(_ReadOnly, admin.TabularInline):
    model = StatementLine
    extra = 0
    fields = (
        "kind",
        "month",
        "provider_name",
        "key_name",
        "model",
        "credits",
        "minutes",
        "requests",
        "cost",
        "currency",
    )


@admin.register(Statement)
class StatementAdmin(_ReadOnly, OfferedOnly):
    list_display = ("number", "company_name", "closed_month", "markup_percent")
    list_filter = ("closed_month",)
    list_select_related = ("closed_month",)
    search_fields = ("company_name",)
    inlines = (StatementLineInline,)

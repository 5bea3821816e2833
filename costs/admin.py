"""Usage in the Django admin: to look at, never to change."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from costs.models import DailyUsage


@admin.register(DailyUsage)
class DailyUsageAdmin(admin.ModelAdmin):
    list_display = ("day", "project", "model", "credits", "minutes", "requests", "cost", "currency", "estimated")
    list_filter = ("project__provider", "currency", "estimated")
    list_select_related = ("project",)
    search_fields = ("project__name", "model")
    date_hierarchy = "day"
    show_full_result_count = False

    def has_add_permission(self, _request: HttpRequest, _obj: DailyUsage | None = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: DailyUsage | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: DailyUsage | None = None) -> bool:
        return False

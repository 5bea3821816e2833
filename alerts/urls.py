"""The pages of budgets, of alerts, and those of Settings that are about being told."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from alerts.views import alerts, budgets, endpoints, notifications, unusual

budget_pages = [
    path("", budgets.budget_list, name="list"),
    path("add/", budgets.add_budget, name="add"),
    path("<int:pk>/edit/", budgets.edit_budget, name="edit"),
    path("<int:pk>/delete/", budgets.delete, name="delete"),
]

alert_pages = [
    path("", alerts.alert_list, name="list"),
    path("read/", alerts.read_all, name="read_all"),
    path("<int:pk>/read/", alerts.read, name="read"),
    path("<int:pk>/snooze/", alerts.snooze, name="snooze"),
]

unusual_pages = [
    path("", unusual.episode_list, name="list"),
    path("<int:pk>/", unusual.episode_detail, name="detail"),
    path("<int:pk>/say/", unusual.say, name="say"),
]

notification_pages = [
    path("notifications/", notifications.own, name="own"),
    path("notifications/test/", notifications.send_test, name="test"),
    path("notifications/companies/", notifications.subscribe, name="subscribe"),
    path("notifications/companies/<int:pk>/end/", notifications.unsubscribe, name="unsubscribe"),
    path("watching/", notifications.watched, name="watched"),
    path("webhooks/", endpoints.endpoint_list, name="endpoints"),
    path("webhooks/add/", endpoints.add, name="add_endpoint"),
    path("webhooks/<int:pk>/", endpoints.endpoint_detail, name="endpoint"),
    path("webhooks/<int:pk>/secret/", endpoints.new_secret, name="new_secret"),
    path("webhooks/<int:pk>/switch/", endpoints.switch, name="switch_endpoint"),
    path("webhooks/<int:pk>/delete/", endpoints.delete, name="delete_endpoint"),
    path("deliveries/<int:pk>/again/", endpoints.redeliver, name="redeliver"),
]

alert_urls: list[URLPattern | URLResolver] = [
    path("budgets/", include((budget_pages, "budgets"))),
    path("alerts/unusual/", include((unusual_pages, "unusual"))),
    path("alerts/", include((alert_pages, "alerts"))),
    path("settings/", include((notification_pages, "notifications"))),
]

from django.urls import path

from accounts.audit import views

audit_pages = [
    path("settings/audit/", views.audit_log, name="list"),
]

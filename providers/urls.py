"""Connecting, syncing, assigning, and naming companies, by the namespace that administrate.urls puts them in."""

from django.urls import path

from providers import views

provider_actions = [
    path("providers/add/", views.add_provider, name="add"),
    path("providers/try-simulated/", views.try_simulated, name="try_simulated"),
    path("providers/<int:pk>/sync/", views.sync_now, name="sync"),
    path("providers/<int:pk>/progress/", views.progress, name="progress"),
    path("providers/<int:pk>/assign/", views.assign, name="assign"),
    path("providers/<int:pk>/runs/<int:run_pk>/accept/", views.accept, name="accept"),
    path("assignments/<int:pk>/undo/", views.undo, name="undo"),
]

company_actions = [
    path("companies/add/", views.add_company, name="add"),
    path("companies/<int:pk>/edit/", views.edit_company, name="edit"),
]

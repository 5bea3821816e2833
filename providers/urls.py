"""Connecting, managing, syncing, assigning, rules, and naming companies, by the namespace of administrate.urls."""

from django.urls import path

from providers.views import agents, assigning, companies, connecting, keys, managing, rules, sharing, syncing

provider_actions = [
    path("providers/add/", connecting.add_provider, name="add"),
    path("providers/try-simulated/", connecting.try_simulated, name="try_simulated"),
    path("providers/<int:pk>/rename/", managing.rename, name="rename"),
    path("providers/<int:pk>/key/", managing.replace_api_key, name="replace_key"),
    path("providers/<int:pk>/pause/", managing.pause, name="pause"),
    path("providers/<int:pk>/resume/", managing.resume, name="resume"),
    path("providers/<int:pk>/resync/", managing.resync, name="resync"),
    path("providers/<int:pk>/agents/", agents.agents, name="agents"),
    path("providers/<int:pk>/keyless/", sharing.keyless, name="keyless"),
    path("providers/<int:pk>/delete/", managing.delete, name="delete"),
    path("providers/<int:pk>/sync/", syncing.sync_now, name="sync"),
    path("providers/<int:pk>/progress/", syncing.progress, name="progress"),
    path("providers/<int:pk>/runs/<int:run_pk>/accept/", syncing.accept, name="accept"),
    path("providers/<int:pk>/assign/", assigning.assign, name="assign"),
]

key_actions = [
    path("keys/assign/", assigning.assign, name="assign"),
    path("keys/changes/", keys.changes, name="changes"),
    path("keys/<int:pk>/label/", keys.label, name="label"),
]

company_actions = [
    path("companies/add/", companies.add_company, name="add"),
    path("companies/<int:pk>/edit/", companies.edit_company, name="edit"),
    path("companies/<int:pk>/archive/", companies.archive, name="archive"),
    path("companies/<int:pk>/restore/", companies.restore, name="restore"),
]

rule_pages = [
    path("rules/", rules.rule_list, name="list"),
    path("rules/add/", rules.add_rule, name="add"),
    path("rules/<int:pk>/edit/", rules.edit_rule, name="edit"),
    path("rules/<int:pk>/move/", rules.move, name="move"),
    path("rules/<int:pk>/delete/", rules.delete, name="delete"),
]

"""The pages that show money, by the namespace that administrate.urls puts them in."""

from django.urls import path, register_converter

from core.months import MonthConverter
from costs.pages.moving import moved_money
from costs.pages.views import (
    agency,
    closing,
    companies,
    company,
    company_statements,
    dashboard,
    estimates,
    exports,
    first_run,
    keys,
    models,
    provider,
    providers,
    restatements,
    statement_files,
    statements,
)
from providers.views import assigning, rules
from providers.views import keys as editing

# What assigning would move is shown where it is asked for.
SHOWS_MONEY = {"preview": moved_money}

register_converter(MonthConverter, "month")

dashboard_page = path("", dashboard.dashboard, name="dashboard")

provider_pages = [
    path("providers/", providers.provider_list, name="list"),
    path("providers/<int:pk>/", provider.provider_detail, name="detail"),
    path("providers/<int:pk>/restatements/", restatements.provider_restatements, name="restatements"),
    path("providers/<int:pk>/reassign/", assigning.reassign, SHOWS_MONEY, name="reassign"),
    path("providers/<int:pk>/split/", assigning.split, SHOWS_MONEY, name="split"),
    path("assignments/<int:pk>/undo/", assigning.undo, SHOWS_MONEY, name="undo"),
    path("providers/<int:pk>/credit-rate/", estimates.credit_rate, name="credit_rate"),
]

key_pages = [
    path("keys/", keys.key_list, name="list"),
    path("keys/reassign/", assigning.reassign, SHOWS_MONEY, name="reassign"),
    path("keys/split/", assigning.split, SHOWS_MONEY, name="split"),
    path("keys/<int:pk>/period/", editing.period, SHOWS_MONEY, name="period"),
    path("keys/<int:pk>/", keys.key_detail, name="detail"),
]

rule_pages = [path("rules/apply/", rules.apply, SHOWS_MONEY, name="apply")]

company_pages = [
    path("companies/", companies.company_list, name="list"),
    path("companies/suggested/", first_run.suggested_companies, name="suggested"),
    path("companies/<int:pk>/", company.company_detail, name="detail"),
    path("companies/<int:pk>/statements/", company_statements.company_statements, name="statements"),
    path("companies/<int:pk>/statements/<month:month>/", company_statements.company_statement, name="statement"),
    path(
        "companies/<int:pk>/statements/<month:month>/statement.csv",
        company_statements.company_statement_csv,
        name="statement_csv",
    ),
    path(
        "companies/<int:pk>/statements/<month:month>/statement.pdf",
        statement_files.company_statement_pdf,
        name="statement_pdf",
    ),
]

model_pages = [
    path("models/", models.model_list, name="list"),
    path("models/usage/", models.model_detail, name="detail"),
]

export_pages = [
    path("exports/usage.csv", exports.usage_export, name="usage"),
    path("exports/focus.csv", exports.focus_export, name="focus"),
]

agency_pages = [
    path("settings/agency/", agency.agency, name="edit"),
    path("settings/agency/logo/", agency.logo, name="logo"),
]

statement_pages = [
    path("statements/", statements.statement_months, name="list"),
    path("statements/<month:month>/", statements.statement_month, name="month"),
    path("statements/<month:month>/close/", closing.close, name="close"),
    path("statements/<month:month>/statements.pdf", statement_files.month_pdf, name="pdf"),
    path("statements/<month:month>/statements.zip", statement_files.month_zip, name="zip"),
    path("statements/<month:month>/accounting.csv", statement_files.month_accounting, name="accounting"),
]

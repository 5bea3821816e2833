"""The pages that show money, by the namespace that administrate.urls puts them in."""

from django.urls import path

from costs.views import companies, dashboard, providers

dashboard_page = path("", dashboard.dashboard, name="dashboard")

provider_pages = [
    path("providers/", providers.provider_list, name="list"),
    path("providers/<int:pk>/", providers.provider_detail, name="detail"),
]

company_pages = [
    path("companies/", companies.company_list, name="list"),
    path("companies/<int:pk>/", companies.company_detail, name="detail"),
]

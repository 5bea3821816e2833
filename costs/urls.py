"""The pages that show money, by the namespace that administrate.urls puts them in."""

from django.urls import path

from costs.views import companies, dashboard, estimates, provider, providers, restatements

dashboard_page = path("", dashboard.dashboard, name="dashboard")

provider_pages = [
    path("providers/", providers.provider_list, name="list"),
    path("providers/<int:pk>/", provider.provider_detail, name="detail"),
    path("providers/<int:pk>/restatements/", restatements.provider_restatements, name="restatements"),
    path("providers/<int:pk>/credit-rate/", estimates.credit_rate, name="credit_rate"),
]

company_pages = [
    path("companies/", companies.company_list, name="list"),
    path("companies/<int:pk>/", companies.company_detail, name="detail"),
]

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "alerts"
    verbose_name = "Alerts"

    def ready(self) -> None:
        from accounts.backends import ask_of_readers
        from alerts import audit_labels, receivers
        from alerts.chart_marks import unusual_days
        from alerts.company_column import BUDGET_COLUMN
        from alerts.context import UNREAD, unread_of_reader
        from alerts.services.endpoints import stored_secrets
        from costs.pages.company_columns import register_company_column
        from costs.pages.marks import register_marks
        from providers.services.rotating import register_store

        audit_labels.register()
        receivers.connect()
        ask_of_readers(UNREAD, unread_of_reader)
        register_company_column(BUDGET_COLUMN)
        register_marks(unusual_days)
        register_store("Webhooks", stored_secrets)

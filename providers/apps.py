from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "providers"
    verbose_name = "LLM Providers"

    def ready(self) -> None:
        from providers import audit_labels, search

        audit_labels.register()
        search.register()

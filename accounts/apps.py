from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People"

    def ready(self) -> None:
        from accounts import audit_labels, receivers, search

        audit_labels.register()
        receivers.connect()
        search.register()

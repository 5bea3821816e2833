"""The composition app: its commands start the product, its migration makes the cache table."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class AdministrateConfig(AppConfig):
    name = "administrate"

    def ready(self) -> None:
        # `.delay()` in web and commands finds the configured broker only when the application object was imported.
        import administrate.celery  # noqa: F401
        from administrate.second_factors import second_factor_secrets
        from core.database import suit_to_short_statements
        from providers.services.rotating import register_store

        connection_created.connect(suit_to_short_statements)
        register_store("Two-factor secrets", second_factor_secrets)

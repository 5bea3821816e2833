"""The composition app: its commands start the product, its migration makes the cache table."""

from django.apps import AppConfig


class AdministrateConfig(AppConfig):
    name = "administrate"

    def ready(self) -> None:
        # `.delay()` in web and commands finds the configured broker only when the application object was imported.
        import administrate.celery  # noqa: F401
        from administrate.second_factors import second_factor_secrets
        from providers.services.rotating import register_store

        register_store("Two-factor secrets", second_factor_secrets)

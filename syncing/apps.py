from django.apps import AppConfig


class SyncingConfig(AppConfig):
    name = "syncing"
    verbose_name = "Syncing"

    def ready(self) -> None:
        from providers import registry
        from syncing.queue import CeleryEngine

        registry.register_engine(CeleryEngine())

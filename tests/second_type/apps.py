from django.apps import AppConfig


class SecondTypeConfig(AppConfig):
    name = "tests.second_type"
    verbose_name = "Prism"

    def ready(self) -> None:
        from syncing import provider_types
        from tests.second_type.provider_type import Prism

        provider_types.register(Prism())

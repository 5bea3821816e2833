from django.apps import AppConfig


class ElevenLabsSyncConfig(AppConfig):
    name = "elevenlabs_sync"
    verbose_name = "ElevenLabs sync"

    def ready(self) -> None:
        from elevenlabs_sync.provider_type import ElevenLabs
        from syncing import provider_types

        provider_types.register(ElevenLabs())

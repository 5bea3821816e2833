from django.apps import AppConfig


class ElevenLabsSyncConfig(AppConfig):
    name = "elevenlabs_sync"
    verbose_name = "ElevenLabs sync"

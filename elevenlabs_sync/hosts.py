"""Where ElevenLabs lives: the five hosts by name, and nothing that a person could type.

Reference: https://elevenlabs.io/docs/overview/administration/data-residency
"""

from datetime import date

from django.conf import settings

from elevenlabs_sync.simulator import ensure_running
from providers.registry import Region

GLOBAL = "global"
SIMULATED = "simulated"

_HOSTS = {
    GLOBAL: ("Global", "https://api.elevenlabs.io"),
    "us": ("United States", "https://api.us.elevenlabs.io"),
    "eu": ("EU residency", "https://api.eu.residency.elevenlabs.io"),
    "in": ("India residency", "https://api.in.residency.elevenlabs.io"),
    "sg": ("Singapore residency", "https://api.sg.residency.elevenlabs.io"),
}


def regions() -> list[Region]:
    """The regions a workspace can live in, the default first; the simulated one only in the embedded default."""
    real = [Region(slug, label) for slug, (label, _host) in _HOSTS.items()]
    return [*real, Region(SIMULATED, "Simulated workspace (demo data)")] if settings.EMBEDDED else real


def base_url(region: str, *, connected_on: date | None = None) -> str:
    """The address for a region's slug; raises KeyError for any other text.

    The simulated region is this process's own simulator, started when it is first needed; its history depends on the
    day on which it was connected.
    """
    if region == SIMULATED and settings.EMBEDDED:
        return ensure_running(connected_on)
    if region == GLOBAL and settings.ELEVENLABS_BASE_URL:
        return str(settings.ELEVENLABS_BASE_URL)
    return _HOSTS[region][1]

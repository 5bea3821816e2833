"""What is ElevenLabs' own lives in its room: no other code or template names it or knows a field of its answers."""

from __future__ import annotations

import re

from tests.services.product import ROOT

ROOMS = ("core", "providers", "costs", "syncing", "accounts", "alerts", "api", "administrate", "templates")
KINDS = {".py", ".html", ".js"}
ITS_WORDS = re.compile(r"elevenlabs|character_(?:count|limit|refresh|stats)|xi-api", re.IGNORECASE)
# Who installs it, and where its Global host is replaced.
ALLOWED = re.compile(r'\s+"elevenlabs_sync",|.*\bELEVENLABS_BASE_URL\b.*')


def test_only_the_settings_name_a_provider_type() -> None:
    """Migrations apart, which convert what earlier releases stored."""
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*"))
        if path.suffix in KINDS and "migrations" not in path.parts
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if ITS_WORDS.search(line) and not (path.name == "settings.py" and ALLOWED.fullmatch(line))
    ]

    assert named == []

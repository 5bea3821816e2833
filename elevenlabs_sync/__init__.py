"""The ElevenLabs provider type: its client, the reading of its answers, and the sync that stores them."""

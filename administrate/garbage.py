"""How often Python's collector of garbage looks, and what it looks through."""

from __future__ import annotations

import gc
from typing import Final

# So many new objects before it looks through these; Python's own 700 are reached thirty times in a page.
NEW_OBJECTS: Final = 20_000


def look_seldom() -> None:
    """Loading makes hardly any garbage: looking for it takes a fifteenth of a start and an eighth of a migration."""
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])


def spare_what_is_loaded() -> None:
    """From now on the collector leaves alone what there is: modules, models and addresses, which stay anyway.

    Looking through them took a tenth of a second now and then, in the midst of somebody's page or of a sync.
    """
    gc.collect()
    gc.freeze()
    look_seldom()

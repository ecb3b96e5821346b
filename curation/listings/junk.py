"""What systems and programs leave in folders and archives, and curate in the folder where it is typed."""

from __future__ import annotations

from pathlib import Path

__all__ = ["holds_runs", "is_junk"]

#: In lower case.
_JUNK = frozenset(
    {
        "__macosx",
        "@eadir",
        "#recycle",
        "@recycle",
        "$recycle.bin",
        "system volume information",
        "lost+found",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "__pycache__",
    }
)


def is_junk(name: str) -> bool:
    """Return whether a file or folder is left by a system, e.g. ``.DS_Store``, ``._a.jpg``, ``__MACOSX``."""
    return name.startswith(".") or name.lower() in _JUNK


def holds_runs(folder: Path) -> bool:
    """Return whether a folder is the ``runs`` of whoever typed a command in the folder of the dataset.

    Parameters
    ----------
    folder : Path
        A folder, or any other file.
    """
    return folder.name == "runs" and next(folder.glob("*/*/run.json"), None) is not None

"""What systems and programs leave in folders and archives."""

from __future__ import annotations

__all__ = ["is_junk"]

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

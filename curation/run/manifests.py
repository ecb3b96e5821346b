"""What ``manifest.json`` of a version of the cleaned dataset says, as far as it can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.utils.files import DamagedError, NotReadableError, read_json

__all__ = ["call_again", "is_latest_wins", "is_soft", "manifest_of", "transaction_of"]


def manifest_of(version: Path) -> dict[str, Any]:
    """Return what the manifest of a version says; nothing if there is none, or it can't be read.

    Parameters
    ----------
    version : Path
        The version's folder.
    """
    try:
        manifest = read_json(version / "manifest.json")
    except (OSError, DamagedError, NotReadableError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def is_soft(version: Path) -> bool:
    """Return whether a version was written with the chances of its labels, by its manifest.

    Parameters
    ----------
    version : Path
        The version's folder.
    """
    return manifest_of(version).get("soft") is True


def call_again(version: Path) -> str:
    """Return the call, in backquotes, that writes a version again as it was written, of the decisions that hold now.

    Parameters
    ----------
    version : Path
        The version's folder.
    """
    asked = [f"{name}=True" for name in ("soft", "latest_wins") if manifest_of(version).get(name) is True]
    return f"`apply_fixes({', '.join(asked)})`"


def is_latest_wins(version: Path) -> bool:
    """Return whether a version has the later decision where reviewers disagreed, as all of earlier versions of curate.

    Parameters
    ----------
    version : Path
        The version's folder.
    """
    return manifest_of(version).get("latest_wins", True) is True


def transaction_of(version: Path) -> str | None:
    """Return the transaction that wrote a version, by its manifest; None if that does not say so.

    Parameters
    ----------
    version : Path
        The version's folder.
    """
    transaction = manifest_of(version).get("transaction")
    return transaction if isinstance(transaction, str) else None

"""What ``manifest.json`` of a version of the cleaned dataset says, as far as it can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.utils.files import DamagedError, NotReadableError, read_json

__all__ = ["manifest_of", "transaction_of"]


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


def transaction_of(version: Path) -> str | None:
    """Return the transaction that wrote a version, by its manifest; None if that does not say so.

    Parameters
    ----------
    version : Path
        The version's folder.
    """
    transaction = manifest_of(version).get("transaction")
    return transaction if isinstance(transaction, str) else None

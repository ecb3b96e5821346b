"""What commands leave behind, without times and places, so that two of it can be compared."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

__all__ = ["left_overs", "read_folder", "read_found", "read_run", "read_state"]

#: Keys whose values differ from one undisturbed command to the next.
_CHANGING = {"made", "created", "command", "started", "finished", "seconds"}


def read_state(run: Path) -> dict[str, Any]:
    """Return the decisions in force and the content of ``cleaned/`` of a run."""
    import curation

    table = curation.open_run(run).decisions()
    columns = ["id", "action", "new_label", "new_price"]
    decisions = sorted(table[columns].fillna("").astype(str).itertuples(index=False, name=None))
    return {"decisions": decisions, "cleaned": _version(run / "cleaned")}


def read_run(run: Path) -> dict[str, Any]:
    """Return all of a finished run: what :func:`read_state` does, issues, versions, comparison, and what is wrong."""
    import curation

    versions = run / "versions"
    return {
        **read_found(run),
        **read_state(run),
        "versions": [_version(folder) for folder in sorted(versions.iterdir())] if versions.exists() else [],
        "comparison": read_folder(run, "comparison.json", "predictions.npz", "training/retrain/*/checkpoint.pt"),
        "faults": [str(fault) for fault in curation.open_run(run).verify().faults],
        "left over": left_overs(run),
    }


def read_found(run: Path) -> dict[str, Any]:
    """Return what find-issues has written, to the last bit of the probabilities."""
    return {
        "status": json.loads((run / "run.json").read_text())["status"],
        "report": (run / "report.html").exists(),
        **read_folder(run, "issues.csv", "health.json", "probabilities.npz", "training/*/checkpoint.pt"),
    }


def read_folder(folder: Path, *patterns: str) -> dict[str, Any]:
    """Return the content of files in a folder: name → text, JSON, or hashes of tensors and arrays."""
    paths = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    return {str(path.relative_to(folder)): _content(path) for path in paths}


def left_overs(run: Path) -> list[str]:
    """Return the temporary files and folders in a run."""
    return sorted(path.name for path in run.iterdir() if path.name.startswith(".") and path.name != ".lock")


def _version(folder: Path) -> dict[str, Any] | None:
    import pandas as pd

    if not folder.exists():
        return None
    try:
        hashes = json.loads((folder / "manifest.json").read_text())["sha256"]
        now = {name: _bytes_hash(folder / name) for name in hashes}
        changes = pd.read_csv(folder / "changes.csv", dtype=str).fillna("")
    except (OSError, ValueError) as error:
        return {"torn": str(error)}
    if now != hashes:
        return {"torn": "files that are not those of the manifest"}
    rows = sorted(changes[["id", "action", "new_label", "new_price"]].itertuples(index=False, name=None))
    others = [path for path in sorted(folder.rglob("*")) if path.is_file() and str(path.relative_to(folder)) not in now]
    return {
        "files": {name: _placeless(folder / name) for name in now if name != "changes.csv"},
        "changes": rows,
        "photos": {str(path.relative_to(folder)): _beside(path) for path in others if path.name != "manifest.json"},
    }


def _beside(file: Path) -> Any:
    """Return what a photo holds, or the comparison that was made of a version."""
    return _content(file) if file.suffix in (".json", ".npz") else _bytes_hash(file)


def _bytes_hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _placeless(file: Path) -> bytes:
    """Return the content of a file with the paths of photos cut short: they depend on where the run is."""
    return re.sub(rb"(\.\./)+[^\s\",]*shop", b"shop", file.read_bytes())


def _content(file: Path) -> Any:
    if file.suffix == ".json":
        return _timeless(json.loads(file.read_text()))
    if file.suffix == ".pt":
        import torch

        return _timeless(torch.load(file, map_location="cpu", weights_only=True))
    if file.suffix == ".npz":
        import numpy as np

        with np.load(file) as arrays:
            return {name: _hash(arrays[name]) for name in arrays.files}
    # a page has the times of decisions
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", "…", file.read_text())


def _timeless(value: Any) -> Any:
    """Return plain values without what changes from one time to the next; tensors as hashes."""
    if isinstance(value, dict):
        return {str(key): _timeless(each) for key, each in value.items() if key not in _CHANGING}
    if isinstance(value, list | tuple):
        return [_timeless(each) for each in value]
    return _hash(value.numpy()) if hasattr(value, "numpy") else value


def _hash(array: Any) -> str:
    return f"{array.dtype} {array.shape} {hashlib.sha256(array.tobytes()).hexdigest()}"

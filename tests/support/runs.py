"""Runs below one folder for the tests of runs: changed as commands and accidents change them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from curation.run.folder import RunFolder
from curation.run.journal import Decision
from tests.cli.test_cli import done
from training.utils.files import write_json
from training.utils.units import now

Place = Callable[..., RunFolder]


def set_train(run: RunFolder, **changes: Any) -> None:
    settings = run.record()["settings"]
    run.update(settings={**settings, "train": {**settings["train"], **changes}})


def change_table(file: Path, id: str, **values: Any) -> None:
    """Change cells of one row of a Parquet file."""
    table = pd.read_parquet(file)
    for column, value in values.items():
        table.loc[table["id"] == id, column] = value
    table.to_parquet(file, index=False)


def decided(id: str, action: str, new_label: str | None = None, source: str = "app") -> Decision:
    return Decision(id, action, new_label, "ana", now(), source)


def compare(run: RunFolder, before: float = 0.7, after: float = 0.75, **changes: Any) -> None:
    """Write a comparison as `retrain --compare` does."""
    scores = {"before": {"macro_f1": before}, "after": {"macro_f1": after}}
    difference = {"mean": round(after - before, 3), "low": 0.01, "high": 0.09}
    rest = {
        "difference": difference,
        "verdict": "helped",
        "test_listings": 24,
        "seeds": [3, 4],
        "model": "convnext_tiny",
    }
    write_json(run.comparison_file, {**scores, **rest, **changes})


def run_rows(*arguments: str) -> list[dict[str, Any]]:
    """Return the runs of all datasets, as `curate runs --json` shows them."""
    groups = json.loads(done("runs", *arguments, "--json").stdout)["datasets"]
    return [row for group in groups for row in group["runs"]]


def run_diff(*arguments: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(done("runs", "diff", *arguments, "--json").stdout)
    return content

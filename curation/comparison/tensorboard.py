"""A comparison in TensorBoard: scores by seed, F1 by class, confusion matrices, and the table."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from curation.comparison.versions import AFTER, BEFORE
from curation.comparison.words import blocks, markdown
from curation.rendering.confusion import confusion_figure

__all__ = ["write_logs"]

#: More classes can't be read in a picture or a list of plots; comparison.json has all.
_CLASSES = 40


def write_logs(folder: Path, result: Mapping[str, Any]) -> None:
    """Write one TensorBoard log per version, in place of those of an earlier comparison.

    Parameters
    ----------
    folder : Path
        Gets a folder for each version. Its scores are by seed, which is their step; F1 by class is the mean over seeds.
    result : mapping
        What ``comparison.json`` holds.
    """
    # it takes seconds to import
    from torch.utils.tensorboard import SummaryWriter

    shutil.rmtree(folder, ignore_errors=True)
    for name in (BEFORE, AFTER, *result.get("controls", {})):
        with SummaryWriter(str(folder / name)) as log:
            for what, block in blocks(result).items():
                tag = what.replace(" ", "_")
                scores = block[name] if name in block else block["controls"][name]
                for key in ("macro_f1", "accuracy"):
                    for seed, value in zip(result["seeds"], scores[f"{key}_by_seed"], strict=True):
                        log.add_scalar(f"{tag}/{key}", value, seed)
                if name in (BEFORE, AFTER) and len(result["per_class"]) <= _CLASSES:
                    for label, row in scores["per_class"].items():
                        log.add_scalar(f"{tag}/f1/{label}", row["f1"])
                    log.add_figure(f"{tag}/confusion", _matrix(block, name, list(result["per_class"])))
            if name == AFTER:
                log.add_text("comparison", markdown(result))


def _matrix(block: Mapping[str, Any], version: str, classes: list[str]) -> Figure:
    place = {label: number for number, label in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)))
    for row in block["confusion"]:
        counts[place[row["label"]], place[row["predicted"]]] = row[version]
    return confusion_figure(counts, classes, f"Test listings, {version} the fixes (means over seeds)")

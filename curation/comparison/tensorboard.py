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
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 3 + 0.28 * len(classes)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(classes)), classes, rotation=90, fontsize=7, parse_math=False)
    axes.set_yticks(range(len(classes)), classes, fontsize=7, parse_math=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("label")
    axes.set_title(f"{version} the fixes: share of each label's test listings", fontsize=8)
    return figure

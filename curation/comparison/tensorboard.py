"""A comparison in TensorBoard: scores by seed, F1 by class, confusion matrices, and the table."""

from __future__ import annotations

import shutil
from pathlib import Path

from curation.comparison.result import Comparison
from curation.comparison.scored import Control, VersionScores
from curation.comparison.versions import AFTER, BEFORE
from curation.comparison.words import scores_by_labels
from curation.rendering.confusion import confusion_figure

__all__ = ["write_logs"]

#: More classes can't be read in a picture or a list of plots; comparison.json has all.
_CLASSES = 40


def write_logs(folder: Path, comparison: Comparison) -> None:
    """Write one TensorBoard log per version, in place of those of an earlier comparison.

    Parameters
    ----------
    folder : Path
        Gets a folder for each version. Its scores are by seed, which is their step; F1 by class is the mean over seeds.
    comparison : Comparison
        What to write.
    """
    # it takes seconds to import
    from torch.utils.tensorboard import SummaryWriter

    shutil.rmtree(folder, ignore_errors=True)
    for name in (BEFORE, AFTER, *comparison.given.controls):
        with SummaryWriter(str(folder / name)) as log:
            for what, scores in scores_by_labels(comparison).items():
                tag = what.replace(" ", "_")
                versions: dict[str, VersionScores | Control] = {BEFORE: scores.before, AFTER: scores.after}
                version = (versions | scores.controls)[name]
                by_seed = {"macro_f1": version.macro_f1_by_seed, "accuracy": version.accuracy_by_seed}
                for key, values in by_seed.items():
                    for seed, value in zip(comparison.seeds, values, strict=True):
                        log.add_scalar(f"{tag}/{key}", value, seed)
                if isinstance(version, VersionScores) and len(version.per_class) <= _CLASSES:
                    for label, row in version.per_class.items():
                        log.add_scalar(f"{tag}/f1/{label}", row.f1)
                    title = f"Test listings, {name} the fixes (means over seeds)"
                    log.add_figure(
                        f"{tag}/confusion", confusion_figure(scores.matrix(name), list(scores.per_class), title)
                    )
            if name == AFTER:
                log.add_text("comparison", comparison.to_markdown())

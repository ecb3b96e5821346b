"""Learning curves, read from the TensorBoard logs of a run's networks."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.run.folder import RunFolder

__all__ = ["Curve", "Curves", "read_curves"]

#: The log of one network: tag → epoch → value.
Curve = dict[str, dict[int, float]]

# the curves that are drawn
_TAGS = ("train/loss", "train/accuracy", "held_out/loss", "held_out/accuracy")


@dataclass(frozen=True)
class Curves:
    """The logs of a run; lists are empty if no network was trained.

    Attributes
    ----------
    folds : list of Curve
        Of cross-validation.
    before, after : list of Curve
        Of the comparison, one a seed.
    """

    folds: list[Curve]
    before: list[Curve]
    after: list[Curve]


def read_curves(run: RunFolder) -> Curves:
    """Read the logs of a run; an empty or damaged one is left out."""
    folder = run.training_folder
    return Curves(
        folds=_read(folder, "fold-*"),
        before=_read(folder / "retrain", "before-*"),
        after=_read(folder / "retrain", "after-*"),
    )


def _read(folder: Path, pattern: str) -> list[Curve]:
    logs = {path.parent for path in folder.glob(f"{pattern}/events.out.tfevents.*")}
    curves = [_read_log(log) for log in sorted(logs)]
    return [curve for curve in curves if curve is not None]


def _read_log(folder: Path) -> Curve | None:
    # it takes a second to import, and most runs train no network
    from tensorboard.backend.event_processing import event_accumulator

    log = event_accumulator.EventAccumulator(str(folder), size_guidance={event_accumulator.SCALARS: 0})
    chatter = logging.getLogger("tensorboard")
    level = chatter.level
    try:
        # its remarks on a log that was cut short help nobody who asked for a report
        chatter.setLevel(logging.CRITICAL)
        log.Reload()
        values = {tag: _by_epoch(log, tag) for tag in log.Tags()["scalars"] if tag in _TAGS}
    except Exception:  # a damaged file can raise anything in its reader
        return None
    finally:
        chatter.setLevel(level)
    return values if any(values.values()) else None


def _by_epoch(log: Any, tag: str) -> dict[int, float]:
    # an epoch that was trained again after an interruption occurs twice; the later one counts
    values = {int(event.step): float(event.value) for event in log.Scalars(tag)}
    return dict(sorted(values.items()))

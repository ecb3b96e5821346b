"""cleanlab: a Datalab whose issues are those of the run, as an object or as a folder that ``Datalab.load`` reads."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from curation.errors import InputError
from curation.interchange.contract import Exported
from curation.rendering.words import agree, many
from curation.run.flags import flags_by_kind
from curation.run.folder import RunFolder
from training.utils.arrays import Int64
from training.utils.files import whole_folder

if TYPE_CHECKING:
    from cleanlab import Datalab

__all__ = ["NAME", "datalab_of", "write"]

NAME = "datalab"
_LABEL = "given_label"
_COLUMNS = ("id", "image", _LABEL)


def write(run: RunFolder, folder: Path) -> Exported:
    """Write a folder that ``cleanlab.Datalab.load`` reads.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    folder : Path
        A new or empty folder.

    Raises
    ------
    InputError
        If no listing has a label, a package is missing, or the folder can't be written.
    """
    datalab = datalab_of(run)
    with whole_folder(folder, new=True) as built, _silent():
        datalab.save(str(built), force=True)
    return Exported(NAME, folder, len(datalab.data), tuple(_notes(run, datalab, folder)))


def _notes(run: RunFolder, datalab: Datalab, folder: Path) -> list[str]:
    notes = [f"Open it in Python: cleanlab.Datalab.load({str(folder)!r}).get_issues()"]
    if bare := len(run.listings(["id"])) - len(datalab.data):
        notes.append(f"{many(bare, 'listing')} without a label {agree(bare, 'is', 'are')} not in it.")
    return notes


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Let nothing be printed: Datalab says where it saved, and the library below it shows a bar."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def datalab_of(run: RunFolder) -> Datalab:
    """Return a Datalab of the listings that have a label, in the order of the input.

    Its data has ``id``, ``image`` and ``given_label``.

    Parameters
    ----------
    run : RunFolder
        A finished run.

    Raises
    ------
    InputError
        If no listing has a label, or a package is missing.
    """
    try:
        # needs Hugging Face's datasets; slow to import
        from cleanlab import Datalab
        from datasets import Dataset
    except ImportError as error:
        raise InputError(
            "Datalab needs a package that is not installed",
            got=str(error).splitlines()[0],
            fix="Install it with: pip install 'curate-listings[datalab]'",
        ) from error
    issues = run.issues()
    issues = issues[issues[_LABEL].notna()].reset_index(drop=True)
    if issues.empty:
        raise InputError("no listing has a label", wanted="at least one for a Datalab", parameter="format")
    columns = {name: issues[name].astype(object).where(issues[name].notna(), None).tolist() for name in _COLUMNS}
    datalab = Datalab(Dataset.from_dict(columns), label_name=_LABEL, verbosity=0)
    _give(datalab, issues)
    return datalab


def _give(datalab: Datalab, issues: pd.DataFrame) -> None:
    """Put the issues of a run where those that Datalab finds would be."""
    found, summary = {}, []
    for kind, flag in flags_by_kind(issues.columns).items():
        score = f"{kind}_score"
        # nothing of a kind without evidence, nor of one without scores
        if score in issues and issues[flag].notna().any():
            found[flag] = issues[flag].astype("boolean").fillna(False).to_numpy(dtype=bool)
            found[score] = issues[score].to_numpy(dtype=np.float64, na_value=np.nan)
            mean = float(np.nanmean(found[score])) if (~np.isnan(found[score])).any() else np.nan
            summary.append({"issue_type": kind, "score": mean, "num_issues": int(found[flag].sum())})
    held = datalab.data_issues
    held.issues = pd.DataFrame(found)
    held.issue_summary = pd.DataFrame(summary, columns=["issue_type", "score", "num_issues"])
    numbers = {name: number for number, name in datalab._label_map.items()}
    given = issues[_LABEL].map(numbers).to_numpy(dtype=np.int64)
    likelier = (issues["suggested_confidence"] > issues["label_score"]).fillna(False).to_numpy(dtype=bool)
    suggested = issues["suggested_label"].map(numbers)
    likelier = likelier & suggested.notna().to_numpy()
    predicted = np.where(likelier, suggested.fillna(-1).to_numpy(dtype=np.int64), given)
    held.info["label"] = {"given_label": given, "predicted_label": predicted}
    held.info["near_duplicate"] = {"near_duplicate_sets": _sets(issues)}
    held.set_health_score()


def _sets(issues: pd.DataFrame) -> list[Int64]:
    """Return the rows of the other listings with nearly the same photo, of each."""
    sets = [np.array([], dtype=np.int64) for _ in range(len(issues))]
    if "near_duplicate_group" in issues:
        for rows in issues.groupby("near_duplicate_group").indices.values():
            group = np.asarray(rows, dtype=np.int64)
            for row in group.tolist():
                sets[row] = group[group != row]
    return sets

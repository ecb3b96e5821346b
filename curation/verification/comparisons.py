"""The comparison of a run, and those of its earlier versions: readable, and both of its files there."""

from __future__ import annotations

from collections.abc import Iterator

from curation.run.compared import comparison_problem, predictions_problem
from curation.run.folder import RunFolder
from curation.verification.result import Flaw

__all__ = ["check_comparisons"]


def check_comparisons(run: RunFolder, notes: list[str]) -> Iterator[Flaw]:
    """Check the files that comparing made. No hash of them is recorded.

    Parameters
    ----------
    run : RunFolder
        The run.
    notes : list of str
        Gets what could not be checked: a sentence each.
    """
    names = run.comparison_file.name, run.predictions_file.name
    for folder in (run.folder, *(path for path in run.all_versions() if path != run.cleaned)):
        files = folder / names[0], folder / names[1]
        again = (
            "Delete it, and compare again with `retrain(compare=True)`."
            if folder == run.folder
            else "Restore it from a copy, or delete it: nothing else depends on it."
        )
        for file, problem in zip(files, (comparison_problem, predictions_problem), strict=True):
            where = file.relative_to(run.folder).as_posix()
            if not file.exists():
                if any(other.exists() for other in files):
                    yield Flaw(where, "is missing beside the other file of the comparison", again)
            elif found := problem(file):
                yield Flaw(where, f"is damaged: {found}", again)

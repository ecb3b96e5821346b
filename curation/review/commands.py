"""What the review's pages tell a person to type, and the marks by which its files are known again.

Pages live outside any program that could respell the names of the API, so here, and nowhere else, they are commands.
"""

from __future__ import annotations

import shlex
from pathlib import Path

__all__ = ["APPLY_FIXES", "PAGE_MARK", "STORAGE_PREFIX", "apply_decisions"]

#: Makes the decisions of the App a new version of the dataset.
APPLY_FIXES = "curate apply-fixes"
#: How a review page begins; a file that begins otherwise is never overwritten.
PAGE_MARK = "<!doctype html>\n<!-- curate review -->\n"
#: What the names begin with under which a browser keeps the decisions of a page.
STORAGE_PREFIX = "curate review"


def apply_decisions(run: Path, *, named: bool) -> str:
    """Return what to type once the decisions of a page are downloaded.

    Parameters
    ----------
    run : Path
        Folder of the run.
    named : bool
        Whether to name the run; without, it is the latest one.

    Examples
    --------
    >>> apply_decisions(Path("runs/my shop/1"), named=True)
    "curate apply-fixes --run 'runs/my shop/1' --decisions ~/Downloads/decisions.csv"
    """
    name = f" --run {shlex.quote(str(run))}" if named else ""
    return f"{APPLY_FIXES}{name} --decisions ~/Downloads/decisions.csv"

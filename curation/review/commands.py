"""The commands that the review's pages tell people to type, and the marks that identify its files.

No program can respell the names of the API inside a page, so here, and nowhere else, they are commands.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from curation.review.chosen import TOP

__all__ = ["BLIND_PREFIX", "NEW_LINK", "PAGE_MARK", "STORAGE_PREFIX", "apply_decisions", "audit_decisions", "open_page"]

#: Prints a link into a review that is open.
NEW_LINK = "curate review --link"
#: The beginning of a review page; a file that begins otherwise is never overwritten.
PAGE_MARK = "<!doctype html>\n<!-- curate review -->\n"
#: The beginning of the keys under which a browser stores the decisions of a page.
STORAGE_PREFIX = "curate review"
#: The same of a page without suggestions: what was decided in sight of them is not decided there.
BLIND_PREFIX = "curate blind"


def apply_decisions(run: Path) -> str:
    """Return the command to type once the decisions of a page are downloaded.

    It names the run: a page is often decided days later, when another run is the latest.

    Parameters
    ----------
    run : Path
        Folder of the run.

    Examples
    --------
    >>> apply_decisions(Path("runs/my shop/1"))
    "curate apply-fixes --run 'runs/my shop/1' --decisions ~/Downloads/decisions.csv"
    """
    return f"curate apply-fixes --run {shlex.quote(str(run))} --decisions ~/Downloads/decisions.csv"


def audit_decisions(run: Path) -> str:
    """Return the command to type once the decisions of an audit's page are downloaded.

    Parameters
    ----------
    run : Path
        Folder of the run.

    Examples
    --------
    >>> audit_decisions(Path("runs/shop/1"))
    'curate audit --run runs/shop/1 --decisions ~/Downloads/decisions.csv'
    """
    return f"curate audit --run {shlex.quote(str(run))} --decisions ~/Downloads/decisions.csv"


def open_page(
    run: Path,
    port: int,
    reviewer: str,
    *,
    address: str = "127.0.0.1",
    first: int | None = TOP,
    learn: bool = True,
    blind: float = 0.0,
    conflicts: bool = False,
) -> str:
    """Return the command that opens a live page again, as it was, where a browser that is open finds it.

    Parameters
    ----------
    run : Path
        Folder of the run.
    port : int
        Where it listened.
    reviewer : str
        Who decided there.
    address, first, learn, blind, conflicts
        As for :func:`curation.review.live.serve.serve_page`.

    Examples
    --------
    >>> open_page(Path("runs/shop/1"), 5151, "ana", blind=0.1, learn=False)
    'curate review --page --run runs/shop/1 --port 5151 --reviewer ana --no-learn --blind 0.1'
    """
    words = ["curate", "review", "--page", "--run", str(run), "--port", str(port), "--reviewer", reviewer]
    if address != "127.0.0.1":
        words += ["--address", address]
    if first != TOP and not conflicts:
        words += ["--all"] if first is None else ["--top", str(first)]
    if not learn:
        words.append("--no-learn")
    if blind:
        words += ["--blind", f"{blind:g}"]
    if conflicts:
        words.append("--conflicts")
    return shlex.join(words)

"""Listings to begin with: the demo."""

from __future__ import annotations

from pathlib import Path

from curation.demo_data import DemoSummary, write_demo
from curation.errors import checked
from training.utils.progress import SILENT, Reporter

__all__ = ["demo"]


@checked
def demo(folder: str | Path, *, listings: int = 600, seed: int = 0, reporter: Reporter = SILENT) -> DemoSummary:
    """Write a small marketplace with planted, known issues.

    All photos are drawn by a program. ``truth.csv`` says what was planted; nothing else in curate reads it.

    Parameters
    ----------
    folder : str or Path
        New or empty.
    listings : int
        How many, reposts and broken photos included; at least 120.
    seed : int
        0 or more. The same seed and number of listings give the same files, byte for byte.
    reporter : Reporter, optional
        Shows progress; silent by default.

    Returns
    -------
    DemoSummary

    Raises
    ------
    InputError
        If the folder holds something, or a number is out of range.

    Examples
    --------
    >>> import curation
    >>> summary = curation.demo("shop", listings=120, seed=3)
    >>> summary.listings, summary.planted["price"]
    (120, 8)
    """
    return write_demo(Path(folder), listings=listings, seed=seed, reporter=reporter)

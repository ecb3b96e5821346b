"""`explore`: a look at the listings before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from curation.errors import InputError, about, checked
from curation.exploration.findings import Exploration, look_at
from curation.exploration.page import check_output, write_page
from curation.listings import Listings
from training.utils.noise import noise_to
from training.utils.progress import SILENT, Reporter

__all__ = ["explore"]


@checked
def explore(
    listings: Listings,
    *,
    sample: int = 5000,
    seed: int = 0,
    output: str | Path | None = None,
    reporter: Reporter = SILENT,
) -> Exploration:
    """Look at the listings: classes, prices, photos, missing values, duplicates. Nothing is decoded but suspects.

    Parameters
    ----------
    listings : Listings
        The checked table.
    sample : int
        Headers of at most this many photos are read; of more, a sample by `seed` that rows in another order do not
        change. Equal files are looked for among all.
    seed : int
        Chooses the sample, and the photos that the page shows.
    output : str or Path, optional
        Write the page, its plots and ``explore.json`` to this folder: new, empty, or from an earlier ``explore``.
    reporter : Reporter, optional
        Shows progress.

    Returns
    -------
    Exploration

    Raises
    ------
    InputError
        If `sample` is less than 1, or the page can't be written to `output`.

    Examples
    --------
    >>> import curation
    >>> demo = curation.demo("shop", listings=120)
    >>> exploration = curation.explore(curation.read_listings("shop"))
    >>> exploration.findings["labels"]["classes"]
    12
    """
    if sample < 1:
        raise InputError("the sample is too small", got=str(sample), wanted="1 photo or more", parameter="sample")
    # the page is made of the same photos, and a look has no log
    with noise_to():
        return _explored(listings, sample, seed, output, reporter)


def _explored(listings: Listings, sample: int, seed: int, output: str | Path | None, reporter: Reporter) -> Exploration:
    if output is None:
        return look_at(listings, sample=sample, seed=seed, reporter=reporter)
    # before the work, which may take minutes
    with about("output"):
        check_output(Path(output), listings)
    exploration = look_at(listings, sample=sample, seed=seed, reporter=reporter)
    return replace(exploration, page=write_page(exploration, Path(output), reporter=reporter))

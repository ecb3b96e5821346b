"""``copy.json``: what a copy of a run in a bucket consists of, and whether all of that is there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curation.errors import RunError
from curation.listings.original import leads_outside
from curation.run.folder import RunFolder
from training.utils.files import printable_name, sha256_of_file

__all__ = ["JOURNAL", "LARGEST", "MANIFEST", "Entry", "Manifest", "manifest_of", "read_manifest"]

#: The name of the file.
MANIFEST = "copy.json"
#: The file of decisions.
JOURNAL = RunFolder(Path()).journal.name
_RECORD = RunFolder(Path()).record_file.name
#: Bytes that it may have: those of half a million files.
LARGEST = 100 * 10**6
_FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """One file of a run: its ``size`` in bytes, and its ``sha256`` in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The files of a run.

    Attributes
    ----------
    run : str
        What is the same in all states of one run, and in no other run.
    files : dict of str to Entry
        By their path below the folder of the run, with slashes.
    whole : bool
        False while files are being copied, and for what is left of a copy that was cut: then these are the files that
        are there as they should be.
    """

    run: str
    files: dict[str, Entry]
    whole: bool = True

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files.values())

    def content(self) -> bytes:
        """Return the bytes of ``copy.json``."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=1).encode()


def manifest_of(run: RunFolder, journal: bytes) -> Manifest:
    """Return the manifest of a run on this machine, which nobody changes meanwhile.

    Files whose names begin with a dot are left out: locks, and what killed commands left.

    Parameters
    ----------
    run : RunFolder
        The run.
    journal : bytes
        Its decisions, to which others may be added at any time.

    Raises
    ------
    RunError
        If a name can't be that of an object in a bucket.
    """
    files = {}
    for path in sorted(run.folder.rglob("*")):
        inside = path.relative_to(run.folder)
        name = inside.as_posix()
        hidden = any(part.startswith(".") for part in inside.parts)
        if path.is_file() and not hidden and name not in (MANIFEST, JOURNAL):
            if printable_name(name) != name or not name.isprintable():
                raise RunError(
                    "a file of the run has a name that can't be that of an object in a bucket",
                    got=printable_name(name),
                    fix="Delete its dataset in cleaned/ or versions/ by `undo()`, or copy the run by other means.",
                )
            files[name] = Entry(path.stat().st_size, sha256_of_file(path))
    if journal:
        files[JOURNAL] = Entry(len(journal), hashlib.sha256(journal).hexdigest())
    return Manifest(_identity(run.record()), files)


def _identity(record: dict[str, Any]) -> str:
    fixed = json.dumps([record.get("started"), record.get("files")], sort_keys=True)
    return hashlib.sha256(fixed.encode()).hexdigest()


def read_manifest(content: bytes, where: str) -> Manifest:
    """Return the manifest in a ``copy.json`` that somebody wrote.

    Parameters
    ----------
    content : bytes
        Of the file.
    where : str
        Of the copy, for messages.

    Raises
    ------
    RunError
        If it is none, or would have files written outside of the run's folder.
    """
    damaged = RunError(
        f"{MANIFEST} of the copy {where} is damaged",
        fix="Copy the run there again, from where it is whole.",
    )
    try:
        told = json.loads(content)
        version, run, whole = told["format"], told["run"], told["whole"]
        files = {name: Entry(**entry) for name, entry in told["files"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise damaged from None
    if type(version) is int and version > _FORMAT:
        raise RunError(
            f"the copy {where} was made by a later version of curate",
            got=f"format {version}",
            wanted=f"format {_FORMAT}",
            fix="Update curate.",
        )
    if not (isinstance(run, str) and isinstance(whole, bool) and all(map(_is_sound, files, files.values()))):
        raise damaged
    if whole and _RECORD not in files:
        raise damaged
    return Manifest(run, files, whole)


def _is_sound(name: str, entry: Entry) -> bool:
    parts = name.split("/")
    plain = name.isprintable() and "\\" not in name and not leads_outside(name)
    own = all(part and not part.startswith(".") for part in parts)
    is_hash = isinstance(entry.sha256, str) and len(entry.sha256) == 64 and set(entry.sha256) <= set("0123456789abcdef")
    return plain and own and is_hash and type(entry.size) is int and entry.size >= 0

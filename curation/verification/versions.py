"""Every version of a run's dataset: the input with the journal's decisions, byte for byte; and what was left."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation import __version__
from curation.errors import short_repr, some
from curation.fixes.cleaned import write_cleaned
from curation.fixes.label_weights import LABEL_WEIGHTS, label_weights
from curation.fixes.plan import replayed
from curation.listings.original import leads_outside
from curation.listings.tables import read_raw
from curation.rendering.words import many
from curation.run.folder import RunFolder
from curation.run.journal import Decision, current_decisions
from curation.run.journal_content import LOSSES, Entry, Journal
from curation.run.journal_lines import BEGIN, Step
from curation.run.manifests import is_soft, transaction_of
from curation.run.shapes import misfit
from curation.run.transactions import leftovers, unended
from curation.verification.result import Flaw
from training.utils.csv_files import write_csv
from training.utils.files import DamagedError, photo_path, read_json, sha256_of_file
from training.utils.flock import scratch_folder

__all__ = ["check_leftovers", "check_standing", "check_version", "compared_versions"]

_MANIFEST, _CHANGES = "manifest.json", "changes.csv"
#: What else a version holds: the comparison that was made of it.
_BESIDE = {_MANIFEST, _CHANGES, "comparison.json", "predictions.npz"}
#: Files that hold when they were written, or by which version of a library: the same cells are the same.
_CELLS = {".xlsx", ".parquet"}
_WRITE_AGAIN = "Write it again with `apply_fixes()`."
_MOVE = "Move it out of the run by hand."
_MOVE_AND_WRITE = f"{_MOVE} Write it again with `apply_fixes()`."
#: What was changed by hand is nobody's earlier version: left in its place, it would become one.
_MOVE_ALL = "Move cleaned/ out of the run by hand, then write it again with `apply_fixes()`."
_MOVE_FILE = "Move that file out of the run by hand, then write the version again with `apply_fixes()`."
_RESTORE = "Restore it from a copy: without it, `undo()` does not bring it back."
_RESTORE_BOTH = (
    "Restore it from a copy: decisions.jsonl is damaged, and what is written from it may lack decisions. Without a "
    "copy, look through the decisions with `review()`, then write it with `apply_fixes()`."
)
#: Where lines are lost: what is written from the others may lack decisions that this version has.
_JOURNAL_FIRST = (
    "Move and write nothing yet: decisions.jsonl is damaged, and this may be the last copy of some decisions. Restore "
    "decisions.jsonl from a copy, and verify again."
)
_REBUILD = "Restore it from a copy, or rebuild it in cleaned/ with `apply_fixes(as_of='TIME')`."
#: Of ``manifest.json``, as far as it is compared.
_SHAPE = {
    "sha256": dict,
    "run": str,
    "input?": {"root?": str},
    "format?": str,
    "soft?": bool,
    "latest_wins?": bool,
    "transaction?": str,
    "curate?": str,
}


def _again(fix: str, *, soft: bool) -> str:
    """Return an advice that also writes the chances of labels, if the version had them."""
    if not soft:
        return fix
    return fix.replace("apply_fixes()", "apply_fixes(soft=True)").replace("(as_of=", "(soft=True, as_of=")


def _nothing_decided(journal: Journal) -> bool:
    """Return whether the version in force, whose manifest is gone, was made without decisions: of the chances alone."""
    return journal.standing_version() is not None and not current_decisions(journal.decisions())


def compared_versions(run: RunFolder) -> list[Path]:
    """Return the folders of the versions that are where they stay, oldest first.

    Those that a killed command moved are taken back by the next one, or counted as moved.

    Parameters
    ----------
    run : RunFolder
        The run.
    """
    moved = _moved(run)
    return [folder for folder in run.all_versions() if folder.relative_to(run.folder).as_posix() not in moved]


def _moved(run: RunFolder) -> set[str]:
    """Return the places, of those that a killed command moved something from or to, that will be as before."""
    left = unended(run.folder, run.journal)
    return set() if left is None or left.counts else {place for move in left.done for place in move}


def check_standing(run: RunFolder, notes: list[str]) -> Iterator[Flaw]:
    """Check that the version that the journal says is in force is there, and that none is there twice.

    Parameters
    ----------
    run : RunFolder
        The run.
    notes : list of str
        Gets what could not be checked: a sentence each.
    """
    if run.versions.is_dir():
        # else what is in it would be missing
        list(run.versions.iterdir())
    journal, cleaned, moved = run.judged_journal(), run.cleaned.name, _moved(run)
    if journal.standing_version() is not None and not run.cleaned.exists() and cleaned not in moved:
        missing = "is missing, though the journal has applied fixes"
        again = _again(_WRITE_AGAIN, soft=_nothing_decided(journal))
        yield Flaw(cleaned, missing, _RESTORE_BOTH if journal.is_lossy else again)
    places = journal.places()
    there = {folder.relative_to(run.folder).as_posix(): transaction_of(folder) for folder in compared_versions(run)}
    for name in places or ():
        if name not in {cleaned, *there, *moved}:
            yield Flaw(name, "is missing, where the journal says that an earlier version is", _RESTORE)
    yield from _misplaced(there, places or {}, cleaned)
    for transaction in dict.fromkeys(there.values()):
        alike = [name for name in there if there[name] == transaction]
        if transaction is not None and len(alike) > 1:
            yield from _copies(alike, transaction, places, nothing_decided=_nothing_decided(journal))


def _misplaced(there: dict[str, str | None], places: dict[str, str | None], cleaned: str) -> Iterator[Flaw]:
    """Say which versions are in the place of another one; of the one in force, its own check says it."""
    for name, transaction in there.items():
        wanted = places.get(name)
        if name == cleaned or None in (wanted, transaction) or wanted == transaction:
            continue
        home = _home(transaction, there, places)
        if home is not None:
            yield Flaw(name, "is not the version that the journal says is there", _back(home))


def _home(transaction: str | None, there: dict[str, str | None], places: dict[str, str | None]) -> str | None:
    """Return the folder that a version belongs in; None if the journal knows none, or the version is there as well."""
    right = [name for name in places if places[name] == transaction and transaction is not None]
    return right[0] if right and there.get(right[0]) != transaction else None


def _back(home: str) -> str:
    return f"Move it by hand to {home}, where it belongs; if another version is there, move that one away first."


def _copies(
    alike: list[str], transaction: str, places: dict[str, str | None] | None, *, nothing_decided: bool
) -> Iterator[Flaw]:
    """Say of versions with the same content which is the copy: the journal knows where that content belongs."""
    right = [name for name in alike if places is not None and places.get(name) == transaction]
    if places is None or not right:
        one, *others = alike
        what = f"is the same version as {some(others)}: one is a copy of the other, and which can't be told"
        yield Flaw(one, what, "Restore the one that was replaced from a copy.")
        return
    for name in alike:
        if name in right:
            continue
        if name not in places:
            yield Flaw(name, f"is a copy of {right[0]} that the journal does not have", _MOVE)
        else:
            write = _again(_MOVE_AND_WRITE, soft=nothing_decided)
            fix = write if name == "cleaned" else _RESTORE
            yield Flaw(name, f"is a copy of {right[0]}, and what was there is gone", fix)


def check_version(run: RunFolder, notes: list[str], *, folder: Path) -> Iterator[Flaw]:
    """Check that a version is what the input and the journal's decisions give.

    Parameters
    ----------
    run : RunFolder
        The run.
    notes : list of str
        Gets what could not be checked: a sentence each.
    folder : Path
        The version's.
    """
    journal, name = run.judged_journal(), folder.relative_to(run.folder).as_posix()
    soft = is_soft(folder) or (folder / LABEL_WEIGHTS).exists()
    fix = _again(_MOVE_ALL if folder == run.cleaned else _REBUILD, soft=soft)
    fix = _JOURNAL_FIRST if journal.is_lossy else fix
    if not folder.is_dir():
        yield Flaw(
            name,
            "is a file, not a folder with a version of the dataset",
            _again(_MOVE_FILE, soft=_nothing_decided(journal)) if folder == run.cleaned else fix,
        )
        return
    try:
        manifest = read_json(folder / _MANIFEST)
        why = misfit(manifest, _SHAPE)
    except FileNotFoundError:
        why = "no such file"
    except DamagedError as error:
        why = error.reason
    if why:
        yield Flaw(f"{name}/{_MANIFEST}", f"can't be read ({why}), so {name} can't be compared", fix)
        return
    transaction = manifest.get("transaction")
    lost = transaction is not None and not journal.knows(transaction)
    if folder == run.cleaned and transaction != journal.standing_version() and not lost:
        there = {each.relative_to(run.folder).as_posix(): transaction_of(each) for each in run.all_versions()}
        home = _home(transaction, there, journal.places() or {})
        again = _JOURNAL_FIRST if journal.is_lossy else _again(_MOVE_AND_WRITE, soft=soft)
        back = again if home is None else _back(home)
        yield Flaw(name, "is not the version that the journal says is in force", back)
    yield from _manifested(folder, name, manifest, fix)
    if lost:
        # of the one in force, the check of the journal says it
        if folder != run.cleaned:
            fix = f"Restore {run.journal.name} from a copy; if there is none, move this version out of the run by hand."
            yield Flaw(name, f"was written by an apply-fixes that {run.journal.name} lacks", fix)
        return
    if transaction is None:
        notes.append(f"Which decisions {name} was made of is not recorded: an earlier version of curate wrote it.")
        return
    if manifest["run"] != str(run.folder.resolve()):
        notes.append(f"{name} was written in {manifest['run']}: its paths to photos lead from there.")
    if _lost_before(journal, transaction):
        notes.append(f"{name} can't be compared: lines of {run.journal.name} that it was made of are lost.")
        return
    yield from _replayed(run, folder, name, manifest, journal.applied(transaction), fix)


def _lost_before(journal: Journal, transaction: str) -> bool:
    """Return whether lines are lost that a version was made of: one before its last line, or that it began with."""
    own = [entry for entry in journal.entries if _transaction(entry) == transaction]
    begins = any(isinstance(entry.content, Step) and entry.content.step == BEGIN for entry in own)
    last = max((entry.line for entry in own), default=0)
    return not begins or any(fault.kind in LOSSES and fault.line <= last for fault in journal.faults)


def _transaction(entry: Entry) -> str | None:
    return entry.content.transaction if isinstance(entry.content, Step) else entry.transaction


def _manifested(folder: Path, name: str, manifest: dict[str, Any], fix: str) -> Iterator[Flaw]:
    outside = [file for file in manifest["sha256"] if leads_outside(file)]
    if outside:
        yield Flaw(f"{name}/{_MANIFEST}", f"names files outside of {name}: {some(map(short_repr, outside), 3)}", fix)
    for file, sha256 in manifest["sha256"].items():
        if file in outside:
            continue
        if not (folder / file).is_file():
            yield Flaw(f"{name}/{file}", "is missing", fix)
        elif sha256_of_file(folder / file) != sha256:
            yield Flaw(f"{name}/{file}", "was changed after apply-fixes wrote it: its hash differs", fix)


@dataclass(frozen=True)
class _Then(RunFolder):
    """A run where it was when a version was written, which relative paths lead from; its files are read here."""

    home: Path
    root: str

    @property
    def cleaned(self) -> Path:
        return self.home / super().cleaned.name

    @property
    def photo_root(self) -> Path:
        return photo_path(Path(), self.root)


def _replayed(
    run: RunFolder, folder: Path, name: str, manifest: dict[str, Any], decisions: list[Decision], fix: str
) -> Iterator[Flaw]:
    """Write a version once more, outside the run, and compare."""
    with scratch_folder("curate-verify") as again:
        # an earlier version of curate applied the later decision
        applied = replayed(run, decisions, latest_wins=manifest.get("latest_wins", True))
        changes = applied.changes
        # a table leads to where the photos were then; folders get them from where they are now
        then = (manifest.get("input") or {}).get("root") if _is_table(manifest) else None
        root = then or str(run.photo_root)
        written = write_cleaned(_Then(run.folder, Path(manifest["run"]), root), changes, again, manifest.get("format"))
        write_csv(again / _CHANGES, changes)
        if manifest.get("soft"):
            write_csv(again / LABEL_WEIGHTS, label_weights(run, applied.decisions, changes))
        ours, theirs = _files(again), _files(folder)
        other = "" if manifest.get("curate") == __version__ else f" ({manifest.get('curate')} of curate wrote it)"
        if (folder / _CHANGES).is_file() and _rows(folder / _CHANGES) != _rows(again / _CHANGES):
            yield Flaw(f"{name}/{_CHANGES}", f"is not what the journal's decisions change{other}", fix)
        counts = {**applied.counts(), "listings_before": len(run.listings()), "listings_after": written.listings}
        # an earlier version of curate did not write all of them
        off = [each for each in counts if manifest.get(each, counts[each]) != counts[each]]
        if off:
            what = ", ".join(f"{each} {manifest[each]!r}, not {counts[each]}" for each in off)
            yield Flaw(f"{name}/{_MANIFEST}", f"has other counts than input and journal give{other}: {what}", fix)
        for file in sorted(ours - theirs):
            yield Flaw(f"{name}/{file}", "is missing, which input and journal give", fix)
        for file in sorted(theirs - ours):
            yield Flaw(f"{name}/{file}", "is not explained by input and journal", "Move it elsewhere.")
        for file in sorted(ours & theirs):
            if not _same(again / file, folder / file):
                yield Flaw(f"{name}/{file}", f"is not what input and journal give{other}", fix)


def _is_table(manifest: dict[str, Any]) -> bool:
    return any(name.startswith("listings.") for name in manifest["sha256"])


def _files(folder: Path) -> set[str]:
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {path for path in paths if path not in _BESIDE}


def _rows(file: Path) -> list[dict[str, str]]:
    """Return the changes; when labels were merged is when the version was written, which nothing else knows."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [{**row, "time": ""} if row.get("source") == "dataset" else row for row in rows]


def _same(one: Path, other: Path) -> bool:
    if one.samefile(other) or sha256_of_file(one) == sha256_of_file(other):
        return True
    return one.suffix in _CELLS and read_raw(one).table.equals(read_raw(other).table)


def check_leftovers(run: RunFolder, notes: list[str]) -> Iterator[Flaw]:
    """Look for what commands that were killed left behind.

    Parameters
    ----------
    run : RunFolder
        The run.
    notes : list of str
        Gets what could not be checked: a sentence each.
    """
    left = sorted(path.relative_to(run.folder).as_posix() for path in leftovers(run.folder))
    if left:
        what = f"{many(len(left), 'leftover')} of killed commands: {some(left)}"
        yield Flaw(".", what, "The next command that changes the run removes them.")

"""Transactions: a command that adds decisions and moves folders does both or neither, whenever it is killed.

First the journal gets the intent, the decisions and the moves, in one append; then the folders are moved; then the
journal gets the commit. Until then nothing is in force. :func:`recover` takes back what has no commit, so that a killed
command never began, and can be typed again.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import secrets
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from curation.errors import RunError, some
from curation.run.journal import NOTE, UNDO, Decision
from curation.run.journal_file import Grown, append, pending, said_since, size_of
from curation.run.journal_lines import BEGIN, COMMIT, TAKE_BACK, Step
from curation.run.manifests import transaction_of
from training.utils.files import sync_folder
from training.utils.flock import is_left

__all__ = [
    "Unended",
    "begin",
    "carry_out",
    "discard",
    "is_unfinished",
    "leftovers",
    "recover",
    "scratch",
    "standing_place",
    "unended",
]

#: Folders that a transaction makes, beside those that it moves them to.
_SCRATCH = re.compile(r"\.(cleaned|undone|compared)-[0-9a-f]{8}")
#: What `whole_file` writes to; not a person's own file with a date.
_UNFINISHED = re.compile(r"\..+-(?!\d{8})[0-9a-f]{8}(\.[^.]+)?")
#: Where commands write files, beside the run's folder itself. The versions come whole, and hold files of the dataset.
_WRITTEN = ("input", "training", "thumbnails")


@dataclass(frozen=True)
class Unended:
    """A transaction without its commit, and what becomes of it.

    Attributes
    ----------
    step : Step
        Its begin.
    done : tuple of (str, str)
        The moves that were made: from where to where.
    counts : bool
        Whether it counts as done: all is moved, and a line that can't be read may have been its commit. Another one is
        taken back.
    line : int
        Line of the file that it begins in.
    """

    step: Step
    done: tuple[tuple[str, str], ...]
    counts: bool
    line: int


def unended(folder: Path, journal: Path) -> Unended | None:
    """Return the transaction that a killed command left without its commit; None if there is none.

    All who ask what becomes of it ask this, so that all say the same.

    Parameters
    ----------
    folder, journal : Path
        The run's.
    """
    begun = pending(journal)
    if begun is None:
        return None
    step, doubtful, line = begun
    done = tuple(_done(folder, step))
    return Unended(step, done, doubtful and _all_made(folder, step), line)


def begin(kind: str, *, after: int, as_of: str | None = None) -> Step:
    """Return the intent of a transaction that moves nothing yet.

    Parameters
    ----------
    kind : str
        ``apply_fixes``, ``undo`` or ``retrain``.
    after : int
        Number of the last line of the journal that it knows.
    as_of : str, optional
        The time whose decisions it applies.
    """
    return Step(secrets.token_hex(6), BEGIN, kind, after, as_of=as_of)


def scratch(folder: Path, name: str) -> Path:
    """Make a folder below the run's, for what a transaction moves; :func:`recover` removes it.

    Parameters
    ----------
    folder : Path
        The run's.
    name : str
        ``cleaned``, ``undone`` or ``compared``.
    """
    made = folder / f".{name}-{secrets.token_hex(4)}"
    made.mkdir()
    return made


def discard(folder: Path, journal: Path, *made: Path) -> None:
    """Remove folders of :func:`scratch`, unless a transaction needs them that could not be taken back yet.

    So a folder that is gone was moved, which tells what became of a transaction whose commit can't be read.

    Parameters
    ----------
    folder, journal : Path
        The run's.
    *made : Path
        The folders.
    """
    with contextlib.suppress(OSError):
        if unended(folder, journal) is None:
            for path in made:
                shutil.rmtree(path, ignore_errors=True)


def carry_out(
    folder: Path, journal: Path, intent: Step, moves: Sequence[tuple[Path, Path]], decisions: Sequence[Decision]
) -> None:
    """Add decisions and move files and folders: all of it, or nothing if it fails or is killed.

    What is moved must be on disk already. The caller holds the run's lock and has recovered the run.

    Parameters
    ----------
    folder, journal : Path
        The run's.
    intent : Step
        Of :func:`begin`.
    moves : sequence of (Path, Path)
        From where to where, in this order. Nothing is at the targets, or an earlier move takes it away.
    decisions : sequence of Decision
        Added to the journal.

    Raises
    ------
    RunError
        If something is at a target, or somebody has said of the same listings what rests on the decision that held
        before these.
    OSError
        If something can't be written or moved.
    """
    _require_free(folder, moves)
    relative = tuple((_relative(folder, source), _relative(folder, target)) for source, target in moves)
    intent = replace(intent, moves=relative)
    try:
        # so that a folder that is gone was moved
        sync_folder(folder)
        _append_alone(journal, intent, decisions, [intent, *decisions])
        for source, target in moves:
            _move(source, target)
        _append_alone(journal, intent, decisions, [Step(intent.transaction, COMMIT)])
    except BaseException:
        # what can't be taken back now is taken back by the next command
        with contextlib.suppress(OSError, RunError):
            recover(folder, journal)
        raise


def _append_alone(
    journal: Path, intent: Step, decisions: Sequence[Decision], contents: Sequence[Decision | Step]
) -> None:
    """Append lines of a transaction, unless something was said meanwhile that its decisions would turn into another.

    They count as said before all that came while the transaction worked. A later keep simply holds. But an undo takes
    the latest back, and a price joins the label that holds: what their reviewer saw was without these decisions.
    """
    while True:
        known = size_of(journal)
        if decisions and (resting := _resting(list(said_since(journal, intent.after)), decisions)):
            call = f"{intent.kind}()"
            raise RunError(
                f"somebody decided on {some(resting)} while `{call}` worked on the same",
                got="an undo, or a label beside a price",
                wanted="one after the other",
                fix="Nothing of it is done: give the command again.",
            )
        with contextlib.suppress(Grown):
            append(journal, contents, intent.transaction, known=known)
            return


def _resting(since: Sequence[Decision], decisions: Sequence[Decision]) -> list[str]:
    """Return the listings of decisions of which was `since` said, latest first, what rests on what held before."""
    own: dict[str, list[Decision]] = {}
    for decision in decisions:
        own.setdefault(decision.id, []).append(decision)
    later, resting = Counter[str](), dict[str, None]()
    for said in (said for said in reversed(since) if said.id in own and said.action != NOTE):
        # what was said before it, but since, it may rest on
        if not later[said.id] and (said.action == UNDO or any(_is_joined(said, each) for each in own[said.id])):
            resting[said.id] = None
        later[said.id] += -1 if said.action == UNDO else 1
    return list(resting)


def _is_joined(said: Decision, other: Decision) -> bool:
    return said.joined(other).meaning != said.meaning


def recover(folder: Path, journal: Path) -> str | None:
    """Bring a run back into the state that its journal explains, after a command that was killed or failed.

    A transaction without its commit is taken back. Only where all is moved and a line that can't be read may have been
    the commit, it gets another one. Then leftovers are removed. The caller holds the run's lock.

    Parameters
    ----------
    folder, journal : Path
        The run's.

    Returns
    -------
    str or None
        What a person should know of it; None if nothing was interrupted.

    Raises
    ------
    OSError
        If something can't be moved or written; the next call goes on.
    """
    left, message = unended(folder, journal), None
    if left is not None:
        step, call = left.step, f"{left.step.kind}()"
        if left.counts:
            append(journal, [Step(step.transaction, COMMIT)])
            message = f"`{call}` was interrupted as it ended, and is done."
        else:
            back = [(folder / target, folder / source) for source, target in reversed(left.done)]
            _require_free(folder, back)
            for source, target in back:
                _move(source, target)
            append(journal, [Step(step.transaction, TAKE_BACK)])
            message = f"`{call}` was interrupted, and is taken back: nothing of it is in {folder}."
    _sweep(folder)
    return message


def standing_place(folder: Path, journal: Path, path: Path) -> Path:
    """Return where a file or folder of the version in force is while a killed command has not been taken back.

    Parameters
    ----------
    folder, journal : Path
        The run's.
    path : Path
        Where it belongs.
    """
    left = unended(folder, journal)
    if left is None or left.counts:
        return path
    place = _relative(folder, path)
    for source, target in left.done:
        if source == place:
            return folder / target
    # what came there is not in force
    return folder / dict((target, source) for source, target in left.done).get(place, place)


def _relative(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _require_free(folder: Path, moves: Sequence[tuple[Path, Path]]) -> None:
    vacated: set[Path] = set()
    for source, target in moves:
        if os.path.lexists(target) and target not in vacated:
            raise RunError(
                f"{target} is in the way",
                wanted=f"nothing there: {source.name} of {folder} goes there",
                fix="Move it away, and try again.",
            )
        vacated.add(source)


def _move(source: Path, target: Path) -> None:
    if not target.parent.exists():
        target.parent.mkdir()
        sync_folder(target.parent.parent)
    source.rename(target)
    for parent in {source.parent, target.parent}:
        sync_folder(parent)


def _done(folder: Path, step: Step) -> list[tuple[str, str]]:
    """Return the moves that were made: they are made in order, and to where nothing is.

    Of the last one, the source is gone: what is at its target otherwise, somebody has put there.
    """
    done = list(itertools.takewhile(lambda move: os.path.lexists(folder / move[1]), step.moves))
    if done and done[-1][0] not in {target for _, target in done} and os.path.lexists(folder / done[-1][0]):
        done.pop()
    return done


def _all_made(folder: Path, step: Step) -> bool:
    """Return whether all moves were made, wherever what they moved is by now.

    What they move is on the disk before the first of them, so one whose source is left was not made. What is not where
    it was moved to was removed later: after the commit what was out of the way, and by hand whatever else.
    """
    targets = {target for _, target in step.moves}
    if any(source not in targets and os.path.lexists(folder / source) for source, _ in step.moves):
        return False
    # it may also have lost what it was to move, before it moved anything
    is_another = transaction_of(folder / "cleaned") not in (None, step.transaction)
    return not (step.kind == "apply_fixes" and is_another)


def _sweep(folder: Path) -> None:
    """Remove what commands that were killed left half done."""
    for path in leftovers(folder):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    versions = folder / "versions"
    if versions.is_dir() and not any(versions.iterdir()):
        versions.rmdir()


def is_unfinished(path: Path, file: Path) -> bool:
    """Return whether a path is that of a file which somebody is writing, or was, by its name.

    Parameters
    ----------
    path : Path
        The path.
    file : Path
        The file's, once it is whole.
    """
    return _UNFINISHED.fullmatch(path.name) is not None and path.name.startswith(f".{file.stem}")


def leftovers(folder: Path) -> Iterator[Path]:
    """Yield what commands that were killed left half done in a run's folder."""
    for path in list(folder.iterdir()):
        if _SCRATCH.fullmatch(path.name) or _is_unfinished(path):
            yield path
    for name in _WRITTEN:
        for place, _, names in os.walk(folder / name):
            yield from filter(_is_unfinished, (Path(place, each) for each in names))


def _is_unfinished(path: Path) -> bool:
    return _UNFINISHED.fullmatch(path.name) is not None and not path.is_dir() and is_left(path)

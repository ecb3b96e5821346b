"""Random histories of a run: what is in ``cleaned/`` is the journal replayed over the input, whatever was killed.

A history decides, undoes, notes, applies, takes back and rebuilds, on a run of twelve listings. Apply-fixes, undo and
the recovery after them run in a child that is killed with SIGKILL before or after a random one of its file operations,
or at every single one. After each step everything in the run is compared with a model that knows nothing of the
product's code: twelve lists of decisions, and a stack of versions.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from curation.errors import DecisionsError, RunError
from curation.fixes import apply_fixes, plan_fixes, undo_fixes
from curation.run.folder import RunFolder
from curation.run.journal import NOTE, UNDO, Decision
from curation.run.journal_lines import COMMIT
from curation.run.transactions import recover
from tests.support.fixes import LISTINGS, make_run
from tests.torture.tally import Tally
from training.utils.units import now, parse_time

__all__ = ["COUNT", "STEPS", "History", "run"]

#: Kills and checked steps, all together.
COUNT = 3000
#: C functions that change files or what is on disk.
_OPERATIONS = frozenset(
    (
        *("open", "write", "fsync", "rename", "replace", "mkdir", "unlink", "remove", "rmdir"),
        *("link", "symlink", "truncate", "chmod", "utime", "close", "flock"),
    )
)
#: Ids that a person may say anything about; 04 has no label to keep.
_IDS = [id for id in LISTINGS if id != "04"]
_CLASSES = ("NA", "chair", "desk")
STEPS = (
    *("keep", "relabel", "reprice", "delete", "ambiguous", "note", "take back"),
    *("apply", "apply", "suggestions", "suggestions", "table", "undo", "undo", "compare", "past"),
)

Meaning = tuple[str, str | None, float | None]
Row = tuple[str | None, float]


@dataclass(eq=False)
class Said:
    """One decision; two that say the same are still two."""

    id: str
    meaning: Meaning


@dataclass
class Version:
    """A version of ``cleaned/``."""

    rows: dict[str, Row]
    added: list[Said]
    comparison: str | None = None


@dataclass
class Model:
    """What must be in the run."""

    stacks: dict[str, list[Said]] = field(default_factory=lambda: {id: [] for id in LISTINGS})
    versions: list[Version] = field(default_factory=list)

    def copy(self) -> Model:
        versions = [Version(each.rows, each.added, each.comparison) for each in self.versions]
        return Model({id: list(stack) for id, stack in self.stacks.items()}, versions)

    def holding(self) -> dict[str, Meaning]:
        return {id: stack[-1].meaning for id, stack in self.stacks.items() if stack}

    def rows(self) -> dict[str, Row]:
        """Return the input with the decisions that hold."""
        rows: dict[str, Row] = {}
        for place, (id, (label, *_)) in enumerate(LISTINGS.items()):
            action, new_label, new_price = self.holding().get(id, ("keep", None, None))
            if action != "delete":
                price = place + 9.5 if new_price is None else new_price
                rows[id] = (new_label if action == "relabel" else label, price)
        return rows

    def applied(self, added: list[Said]) -> Model:
        after = self.copy()
        for said in added:
            after.stacks[said.id].append(said)
        after.versions.append(Version(after.rows(), added))
        return after

    def rebuilt(self, past: Model) -> Model:
        after = self.copy()
        after.versions.append(Version(past.rows(), []))
        return after

    def undone(self) -> Model:
        after = self.copy()
        for said in after.versions.pop().added:
            # somebody may have taken it back already
            if said in after.stacks[said.id]:
                after.stacks[said.id].remove(said)
        return after


class History:
    """One history of a run.

    Parameters
    ----------
    folder : Path
        Where the run is.
    """

    def __init__(self, folder: Path) -> None:
        self.run = RunFolder(folder)
        self.model = Model()
        #: the model at each moment
        self.past: list[tuple[str, Model]] = []
        self.log: list[str] = []

    def step(self, what: str, draw: random.Random, kills: int = 0) -> int:
        """Take a step, kill it up to so often, and check everything; return how often it was killed."""
        self.log.append(what)
        killed = 0
        if what in ("apply", "suggestions", "table", "past"):
            killed = self._apply(what, draw, kills)
        elif what == "undo":
            if self.model.versions:
                killed = self._transact(lambda: undo_fixes(self.run), self.model.undone(), draw, kills)
            else:
                _refused(lambda: undo_fixes(self.run))
        elif what == "compare":
            self._compare(draw)
        else:
            self._say(what, draw)
        self.check(self.model)
        self.past.append((now(), self.model.copy()))
        time.sleep(0.002)  # so that no two have the same time
        return killed

    def _say(self, what: str, draw: random.Random) -> None:
        id = draw.choice(_IDS)
        label = draw.choice(_CLASSES) if what == "relabel" else None
        priced = what == "reprice" or (what == "relabel" and draw.random() < 0.3)
        price = draw.choice([1.0, 12.5, 99.99, 1250.0]) if priced else None
        action = {"note": NOTE, "take back": UNDO}.get(what, what)
        self.run.decide([Decision(id, action, label, draw.choice(["ana", "ben"]), now(), "app", "words", None, price)])
        if what == "take back":
            self.model.stacks[id][-1:] = []
        elif what != "note":
            self.model.stacks[id].append(Said(id, (action, label, price)))

    def _compare(self, draw: random.Random) -> None:
        if self.model.versions:
            token = f"{draw.random()}"
            self.run.comparison_file.write_text(token)
            self.run.predictions_file.write_text(token)
            self.model.versions[-1].comparison = token

    def _apply(self, what: str, draw: random.Random, kills: int) -> int:
        options: dict[str, Any] = {}
        added: list[Said] = []
        after = None
        if what == "suggestions":
            options = {"accept_suggestions": True, "min_confidence": draw.choice([0.4, 0.5, 0.9])}
            for id, (_, flagged, suggested, confidence, split) in LISTINGS.items():
                sure = flagged and split == "train" and (confidence or 0) >= options["min_confidence"]
                if sure and not self.model.stacks[id]:
                    added.append(Said(id, ("relabel", suggested, None)))
        elif what == "table":
            ids = draw.sample(_IDS, draw.randint(1, 3))
            added = [Said(id, draw.choice([("keep", None, None), ("delete", None, None)])) for id in ids]
            table = self.run.folder.parent / f"{self.run.folder.name}.csv"
            table.write_text("id,decision\n" + "".join(f"{said.id},{said.meaning[0]}\n" for said in added))
            options = {"decisions_file": table}
        elif what == "past":
            moment, model = draw.choice(self.past or [(now(), self.model)])
            options = {"as_of": parse_time(moment)}
            after = self.model.rebuilt(model)
            if not model.holding():
                _refused(lambda: plan_fixes(self.run, **options))
                return 0
        after = after or self.model.applied(added)
        if what != "past" and not after.holding():
            _refused(lambda: plan_fixes(self.run, **options))
            return 0
        return self._transact(lambda: apply_fixes(self.run, plan_fixes(self.run, **options)), after, draw, kills)

    def _transact(self, action: Callable[[], object], after: Model, draw: random.Random, kills: int) -> int:
        """Do it; with kills, kill it at random operations until it is done, and kill some recoveries, too."""
        killed = 0
        commits = self._commits()
        while killed < kills:
            if not self._killed(action, draw):
                self.model = after
                return killed
            killed += 1
            committed = self._commits() > commits
            # a command that only reads must read right, before anything is put in order
            self.check_read(after if committed else self.model)
            while draw.random() < 0.3 and self._killed(lambda: recover(self.run.folder, self.run.journal), draw):
                killed += 1
                self.check_read(after if committed else self.model)
            recover(self.run.folder, self.run.journal)
            if committed:
                self.model = after
                return killed
            self.check(self.model)
            if draw.random() < 0.3:
                return killed  # the person does something else
        action()
        self.model = after
        return killed

    def _commits(self) -> int:
        return sum(step.step == COMMIT for step in self.run.read_journal().steps())

    def _killed(self, action: Callable[[], object], draw: random.Random) -> bool:
        # most operations are those of writing the dataset, the moves come last
        return killed_at(action, draw.choice([draw.randint(1, 116), draw.randint(100, 260), draw.randint(240, 340)]))

    def check(self, model: Model) -> None:
        """Compare all of the run with the model; nothing is left over."""
        self.check_read(model)
        run = self.run
        assert run.cleaned.exists() == bool(model.versions), "cleaned/ is there or not"
        left = sorted(path.name for path in run.folder.iterdir() if path.name.startswith(".") and path.name != ".lock")
        assert left == [], f"left over: {left}"
        earlier = sorted(run.versions.iterdir()) if run.versions.exists() else []
        assert len(earlier) == max(len(model.versions) - 1, 0), f"versions: {earlier}"
        for folder, version in zip(earlier, model.versions, strict=False):
            self._check_version(folder, version, folder / "comparison.json", folder / "predictions.npz")
        if model.versions:
            self._check_version(run.cleaned, model.versions[-1], run.comparison_file, run.predictions_file)
        else:
            assert not run.comparison_file.exists(), "a comparison of nothing"

    def check_read(self, model: Model) -> None:
        """Compare what commands that only read see of the run with the model."""
        journal = self.run.read_journal()
        assert {fault.kind for fault in journal.faults} <= {"torn", "closed"}, journal.messages
        holding = {id: each.meaning for id, each in self.run.holding_decisions().decisions.items()}
        assert holding == model.holding(), f"in force {holding}, wanted {model.holding()}"
        cleaned = self.run.standing(self.run.cleaned)
        assert cleaned.exists() == bool(model.versions), "what stands for cleaned/ is there or not"
        if model.versions:
            files = [self.run.standing(file) for file in (self.run.comparison_file, self.run.predictions_file)]
            self._check_version(cleaned, model.versions[-1], *files)
            transaction = json.loads((cleaned / "manifest.json").read_text())["transaction"]
            assert transaction == journal.standing_version(), "the journal explains another version"

    def _check_version(self, folder: Path, version: Version, *comparison: Path) -> None:
        with (folder / "listings.csv").open(encoding="utf-8", newline="") as stream:
            rows = {row["id"]: (row["label"] or None, float(row["price"])) for row in csv.DictReader(stream)}
        assert rows == version.rows, f"{folder.name} {rows}, wanted {version.rows}"
        for file in comparison:
            token = file.read_text() if file.exists() else None
            assert token == version.comparison, f"{file} is {token}, wanted {version.comparison}"


def _refused(action: Callable[[], object]) -> None:
    try:
        action()
    except (DecisionsError, RunError):
        return
    raise AssertionError("nothing to do, and not refused")


def killed_at(action: Callable[[], object], operation: int) -> bool:
    """Do it in a child that is killed at its n-th file operation; return whether it was, or False if it had finished.

    Raises
    ------
    AssertionError
        If the child failed.
    """
    child = os.fork()
    if child == 0:
        _die_at(operation)
        try:
            action()
        except BaseException:
            sys.setprofile(None)
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    assert status == 0, f"the child failed: status {status}"
    return False


def _die_at(operation: int) -> None:
    """Kill this process when it is about to do its n-th file operation, or has just done it."""
    left, after = (operation + 1) // 2, operation % 2 == 0

    def watch(_frame: FrameType, event: str, called: Any) -> None:
        nonlocal left
        if event == ("c_return" if after else "c_call") and getattr(called, "__name__", "") in _OPERATIONS:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)


def _one(seed: int, base: Path, kills: bool) -> Tally:
    """Run one history of a seed."""
    draw, tally = random.Random(seed), Tally("histories")
    folder = base.with_name(f"run-{seed}")
    shutil.copytree(base, folder)
    history = History(folder)
    try:
        for _ in range(draw.randint(6, 14)):
            tally.tried += 1
            tally.tried += history.step(draw.choice(STEPS), draw, draw.randint(0, 4) if kills else 0)
    except AssertionError as error:
        tally.fault("unexplained", f"seed {seed}, after {history.log}: {error}")
    except Exception:
        tally.fault("tracebacks", f"seed {seed}, after {history.log}: {traceback.format_exc()}")
    finally:
        shutil.rmtree(folder)
    return tally


def _sweep(base: Path, first: int, jobs: int) -> Tally:
    """Kill apply-fixes over an earlier version, and undo back to it, at every single file operation."""
    tally = Tally("histories")
    history = History(base.with_name(f"ready-{first}"))
    shutil.copytree(base, history.run.folder)
    draw = random.Random(0)
    history.step("suggestions", draw)
    history.step("compare", draw)
    history.step("delete", draw)
    for what in ("table", "undo"):
        if what == "undo":
            history.step("table", draw)
            history.step("compare", draw)
        operation = first + 1
        while True:
            place = base.with_name(f"swept-{first}")
            shutil.copytree(history.run.folder, place)
            swept = History(place)
            swept.model = history.model.copy()
            tally.tried += 1
            try:
                killed = _kill_and_repeat(swept, what, operation)
            except AssertionError as error:
                killed = True
                tally.fault("unexplained", f"{what} killed at operation {operation}: {error}")
            finally:
                shutil.rmtree(place)
            if not killed:
                break
            operation += jobs
    return tally


def _kill_and_repeat(history: History, what: str, operation: int) -> bool:
    """Kill a step at an operation; then it must not have begun, or be finished, and be repeated or undone."""

    class Fixed(random.Random):
        def randint(self, a: int, b: int) -> int:
            return operation if b > 50 else super().randint(a, b)

    draw = Fixed(operation)
    before = len(history.model.versions)
    killed = history.step(what, draw, kills=1)
    if killed and len(history.model.versions) == before:
        history.step(what, draw)
    history.step("undo", draw)
    history.step("apply", draw)
    return bool(killed)


def _work(arguments: tuple[int, int, int, int]) -> Tally:
    """Run histories and a part of the sweep until there were enough."""
    count, seed, part, jobs = arguments
    tally = Tally("histories")
    with tempfile.TemporaryDirectory(prefix="curate-histories-") as scratch:
        base = make_run(Path(scratch)).folder
        if count > 500:
            tally.add([_sweep(base, part, jobs)])
        number = 0
        while tally.tried < count:
            tally.add([_one(seed * 1_000_000 + part + number * jobs, base, kills=number % 4 > 0)])
            number += 1
    return tally


def run(count: int, seed: int, jobs: int) -> Tally:
    """Try so many steps and kills."""
    # children of a fresh process: what this one has loaded may have threads, which don't survive a fork
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        parts = pool.map(_work, [(-(-count // jobs), seed, part, jobs) for part in range(jobs)])
    return Tally("histories").add(parts)

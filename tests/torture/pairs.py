"""Two or three commands at once: the first is stopped in the middle of its work while the others begin.

The first command stops after a chosen file operation, reads included (shim.c). The others are given, and as soon as
each of them has ended, or waits, the first goes on. In the end each of them was refused, in one line that names who
works on the run, or all that were not did what they do one after the other, in some order: exit codes, what readers
print, decisions in force, ``cleaned/``, versions, comparison and folders are those of that order, each of which is
tried undisturbed.
"""

from __future__ import annotations

import itertools
import random
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.run.folder import RunFolder
from curation.run.transactions import recover
from tests.torture._preloaded import (
    RECORD,
    STOP_AFTER,
    Ended,
    Fault,
    Running,
    all_tried,
    command,
    has_shim,
    in_fork,
    start,
)
from tests.torture.outcomes import read_folder, read_run
from tests.torture.scenarios import TINY, find_words, make_template, spoken, template_of
from tests.torture.tally import Tally
from training.utils.locks import holder_of

__all__ = ["COUNT", "WITHOUT_LOCK", "WRITERS", "cases", "combinations", "drawn", "run"]

COUNT = 240
#: Given among the names, the commands run without the lock of the run: then faults must be found.
WITHOUT_LOCK = "without the lock"
#: Seconds that the others get until the first goes on; of those that wait for it without a word, e.g. for the journal.
_PATIENCE = 3.0

#: Commands that change a run, and hold its lock.
WRITERS = ("table", "suggestions", "apply", "undo", "past")
#: Commands that read, or add a decision, and hold none.
_OTHERS = ("decide", "status", "verify", "page")
_DECISIONS = 4

Work = Callable[["Place"], list[str] | Callable[[], None]]


@dataclass(frozen=True)
class Place:
    """Where one of the commands of a case works, and which of them it is."""

    template: Path
    case: Path
    number: int

    @property
    def own(self) -> list[str]:
        """The listings that no other command of the case decides on."""
        return [
            f"{listing:03}" for listing in range(10 + self.number * _DECISIONS, 10 + (self.number + 1) * _DECISIONS)
        ]


def _table(place: Place) -> list[str]:
    file = place.case / f"decisions-{place.number}.csv"
    deleted, relabelled, *kept = place.own
    rows = [f"{deleted},delete,", f"{relabelled},relabel,desk", *(f"{id},keep," for id in kept)]
    file.write_text("\n".join(["id,decision,new_label", *rows, ""]))
    return ["apply-fixes", "--run", "run", "--decisions", str(file)]


def _decide(place: Place) -> Callable[[], None]:
    def decide() -> None:
        import curation

        try:
            curation.open_run("run").decide(place.own[0], "delete", reviewer="ana")
        except curation.CurateError as error:
            # as a command says it
            sys.stderr.write(f"Error: {error}\n")
            raise SystemExit(error.exit_code) from error

    return decide


def _explore(place: Place) -> list[str]:
    table = "few.csv" if place.number else "shop"
    return ["explore", str(place.template / table), "--output", "looked"]


def _made(template: Path) -> str:
    """Return when the template was made: after all of its decisions, and before all of a case."""
    return datetime.fromtimestamp((template / "template.json").stat().st_mtime, UTC).isoformat()


#: What there is to give, by name.
COMMANDS: dict[str, Work] = {
    "table": _table,
    "suggestions": lambda place: ["apply-fixes", "--run", "run", "--accept-suggestions", "--min-confidence", "0.1"],
    "apply": lambda place: ["apply-fixes", "--run", "run"],
    "past": lambda place: ["apply-fixes", "--run", "run", "--as-of", _made(place.template)],
    "undo": lambda place: ["undo", "--run", "run"],
    "retrain": lambda place: ["retrain", "--compare", "--run", "run", "--seeds", "1", *TINY],
    "find": lambda place: find_words(place.template, "run"),
    "find next": lambda place: find_words(place.template, None),
    "decide": _decide,
    "status": lambda place: ["status", "--run", "run", "--json"],
    "verify": lambda place: ["verify", "--run", "run", "--json"],
    "page": lambda place: ["review", "--html", "--no-browser", "--run", "run", "--output", f"{place.number}.html"],
    "explore": _explore,
    "train": lambda place: [
        *("train", str(place.template / "shop"), *TINY, "--image-size", "32"),
        *("--cache-dir", "cache", "--output", "trained", "--seed", str(place.number)),
    ],
    "empty cache": lambda place: ["cache", "--limit", "1KB", "--cache-dir", "cache"],
}
_WAITING = {"table", "suggestions", "apply", "past", "undo", "retrain", "find", "train"}
#: Of the template, for each state: the run that a case begins with.
_STATES = {"decided": 0, "applied": 1, "applied twice": 2, "interrupted": 0, "new": None, "cached": None}


@dataclass(frozen=True)
class Case:
    """What is tried: the first command stops at a moment, from 0 (its beginning) to 1; the others may wait for it."""

    number: int
    state: str
    commands: tuple[str, ...]
    waits: tuple[bool, ...]
    moment: float

    def __str__(self) -> str:
        others = ", ".join(
            f"{name}{' --wait' * wait}" for name, wait in zip(self.commands[1:], self.waits, strict=True)
        )
        return f"case {self.number} ({self.state}: {others} while {self.commands[0]} is stopped at {self.moment:.3f})"


def combinations(names: Iterable[str] = ()) -> list[tuple[str, tuple[str, ...]]]:
    """Return all combinations of a state and commands, the one that is stopped first; only of `names`, if given."""
    found = [
        (state, pair)
        for state in ("decided", "applied", "applied twice")
        for pair in itertools.product(WRITERS, (*WRITERS, *_OTHERS))
    ]
    found += [("decided", ("decide", writer)) for writer in WRITERS]
    found += [("applied", trio) for trio in itertools.permutations(("table", "suggestions", "undo"), 3)]
    found += [("applied", ("retrain", other)) for other in ("table", "undo", "retrain", "decide")]
    found += [("applied", (other, "retrain")) for other in ("table", "undo")]
    found += [("interrupted", ("find", other)) for other in ("find", "apply", "decide", "verify", "empty cache")]
    found += [("new", pair) for pair in (("find next", "find next"), ("explore", "explore"), ("train", "train"))]
    found += [("cached", pair) for pair in (("find next", "empty cache"), ("empty cache", "find next"))]
    chosen = set(names) - {WITHOUT_LOCK}
    return [one for one in found if not chosen or chosen.issuperset(one[1])]


def cases(numbers: Iterable[int], seed: int, folder: Path, names: list[str]) -> Tally:
    """Try the cases with these numbers."""
    tally = Tally("pairs")
    if not has_shim():
        tally.skipped = "no C compiler"
        return tally
    with _without_lock() if WITHOUT_LOCK in names else _as_it_is():
        trial = _Trial(folder)
        for number in numbers:
            case = drawn(number, seed, names)
            tally.tried += 1
            for count, line in trial.attempt(case):
                tally.fault(count, f"{case}: {line}")
    return tally


def cases_template(folder: Path) -> None:
    """Make what all cases begin with."""
    make_template(folder)
    template = folder / "template"
    rows = (template / "shop" / "listings.csv").read_text().splitlines()[:20]
    (template / "few.csv").write_text("\n".join(rows).replace("photos/", "shop/photos/"))


def drawn(number: int, seed: int, names: Iterable[str] = ()) -> Case:
    """Return a case: every combination comes before any comes twice."""
    order = combinations(names)
    random.Random(seed).shuffle(order)
    state, commands = order[number % len(order)]
    draw = random.Random(f"{seed} {number}")
    waits = tuple(name in _WAITING and draw.random() < 0.5 for name in commands[1:])
    return Case(number, state, commands, waits, draw.random())


def run(count: int, seed: int, jobs: int, names: Iterable[str] = ()) -> Tally:
    """Try so many pairs and triples."""
    return all_tried("pairs", count, seed, jobs, names)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


@contextmanager
def _without_lock() -> Iterator[None]:
    """Take the lock of runs out of the commands, and leave the rest of :meth:`RunFolder.holding`."""
    real = RunFolder.holding

    @contextmanager
    def holding(self: RunFolder, *_: Any, **__: Any) -> Iterator[None]:
        recover(self.folder, self.journal)
        yield

    RunFolder.holding = holding  # type: ignore[assignment]
    try:
        yield
    finally:
        RunFolder.holding = real  # type: ignore[method-assign]


Steps = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class _Order:
    """What commands do one after the other: their exit codes, what readers print, and what is there in the end."""

    codes: dict[int, int]
    printed: dict[int, str]
    left: dict[str, Any]


class _Trial:
    """Cases in a folder with a template; it keeps what each order of commands leaves."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._template = folder, template_of(folder / "case")
        self._orders: dict[tuple[str, Steps], _Order] = {}
        self._operations: dict[tuple[str, str], int] = {}

    def attempt(self, case: Case) -> Iterator[tuple[str, str]]:
        """Try a case, and yield what is wrong."""
        total = self._counted(case.state, case.commands[0])
        where = self._prepared(case.state, f"case-{case.number}")
        stop = Fault(where, STOP_AFTER, 1 + int(case.moment * total), with_reads=True)
        first = start(self._words(where, case.commands[0], 0), where, fault=stop)
        stopped = first.wait_for_stop()
        note = holder_of(where / "run" / ".lock") if (where / "run").exists() else None
        holds = stopped and note is not None and note.process == first.pid
        others = [
            start(self._words(where, name, number, wait=wait), where)
            for number, (name, wait) in enumerate(zip(case.commands[1:], case.waits, strict=True), start=1)
        ]
        for other in others:
            _ended_or_waits(other)
        early = [other.wait(0) for other in others]
        first.go_on()
        ended = [each.finish() for each in (first, *others)]
        for name, wait, one, soon in zip(case.commands[1:], case.waits, ended[1:], early, strict=True):
            if holds and name in _WAITING and (one.code == 0 or wait) and soon:
                yield "unexplained", f"{name} did not wait for the first: {one.last}"
            if holds and _refused(one) and f"(process {first.pid} of " not in one.last and len(others) == 1:
                yield "unexplained", f"{name} does not say who holds the run: {one.last}"
            if wait and _refused(one):
                yield "unexplained", f"{name} --wait was refused: {one.last}"
        faults = [
            fault for name, one in zip(case.commands, ended, strict=True) for fault in spoken(one, name, (0, 1, 2))
        ]
        yield from faults or self._compared(case, where, ended)
        shutil.rmtree(where)

    def _compared(self, case: Case, where: Path, ended: Sequence[Ended]) -> Iterator[tuple[str, str]]:
        """Compare with all orders of the commands that were not refused."""
        done = [(name, place) for place, name in enumerate(case.commands) if not _refused(ended[place])]
        left = dict(in_fork(_left, where))
        nearest: list[str] = []
        for steps in itertools.permutations(done):
            order = self._order(case.state, steps)
            differs = [
                f"{name} ended with {ended[place].code} instead of {order.codes[place]}: {ended[place].last}"
                for name, place in steps
                if ended[place].code != order.codes[place]
            ]
            differs += [
                f"{name} printed {_printed(ended[place])[:200]!r} instead of {order.printed[place][:200]!r}"
                for name, place in steps
                if name in ("status", "verify") and _printed(ended[place]) != order.printed[place]
            ]
            differs += [
                f"{key} is {str(left.get(key))[:300]} instead of {str(order.left.get(key))[:300]}"
                for key in order.left.keys() | left.keys()
                if left.get(key) != order.left.get(key)
            ]
            if not differs:
                return
            if not nearest or len(differs) < len(nearest):
                nearest = differs
        yield "losses", f"of no order; the nearest differs in: {'; '.join(nearest)}"

    def _order(self, state: str, steps: Steps) -> _Order:
        if (state, steps) not in self._orders:
            where = self._prepared(state, "order")
            ended = {place: command(self._words(where, name, place), where) for name, place in steps}
            codes = {place: one.code for place, one in ended.items()}
            printed = {place: _printed(one) for place, one in ended.items()}
            self._orders[state, steps] = _Order(codes, printed, dict(in_fork(_left, where)))
            shutil.rmtree(where)
        return self._orders[state, steps]

    def _counted(self, state: str, name: str) -> int:
        """Return the file operations of a command."""
        if (state, name) not in self._operations:
            where = self._prepared(state, "counted")
            log = where.with_suffix(".log")
            command(self._words(where, name, 0), where, fault=Fault(where, RECORD, log=log, with_reads=True))
            self._operations[state, name] = max(1, log.read_bytes().count(b"\n"))
            shutil.rmtree(where)
        return self._operations[state, name]

    def _prepared(self, state: str, name: str) -> Path:
        where = self._folder / name
        where.mkdir()
        run = _STATES[state]
        if run is not None:
            shutil.copytree(self._template / f"run-{run}", where / "run")
        if state == "interrupted":
            RunFolder(where / "run").update(status="interrupted")
        if state in ("interrupted", "cached"):
            shutil.copytree(self._template / "cache", where / "cache")
        return where

    def _words(self, where: Path, name: str, number: int, *, wait: bool = False) -> Any:
        words = COMMANDS[name](Place(self._template, where, number))
        return [*words, "--wait"] if isinstance(words, list) and wait else words


def _ended_or_waits(other: Running) -> None:
    for _ in range(int(_PATIENCE / 0.05)):
        if other.wait(0.05) or "waiting for it" in other.printed():
            return


def _refused(ended: Ended) -> bool:
    return ended.code == 2 and (" is in use by " in ended.last or "was changed while it was verified" in ended.last)


def _printed(ended: Ended) -> str:
    """Return what a command printed, without where and when."""
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.+Z-]+|/\S+", "…", ended.output)


def _left(where: Path) -> dict[str, Any]:
    """Return what is in a case's folder."""
    left: dict[str, Any] = {"hidden": sorted(path.name for path in where.glob(".*"))}
    for run in (where / "run", *sorted(where.glob("runs/*/*"))):
        if (run / "run.json").exists():
            left |= {f"{run.relative_to(where)} {key}": value for key, value in read_run(run).items()}
    pages = read_folder(where, "*.html", "looked/*.json", "looked/*.html")
    left |= {
        name: text.replace(f"{where.name}/run", "run") if isinstance(text, str) else text
        for name, text in pages.items()
    }
    return left | read_folder(where, "trained/model.pt", "trained/metrics.json", "trained/predictions.csv")

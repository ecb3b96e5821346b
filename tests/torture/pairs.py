"""Two or three commands at once on one run: nothing acknowledged is lost, and who is refused learns by whom.

Each case copies a finished run of twelve listings, forks a process for each command, and lets all of them begin at the
same moment, or a few milliseconds apart. Then everything in the run is verified.
"""

from __future__ import annotations

import csv
import itertools
import json
import multiprocessing
import os
import random
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import curation
from curation import Run
from curation.errors import CurateError, RunInUseError
from curation.run.carry_over import carry_over
from curation.run.folder import RunFolder
from curation.run.journal import Decision, current_decisions
from tests.support.tiny import IDS, tiny_probabilities, tiny_run
from tests.torture.tally import Tally
from training.utils.files import whole_folder

__all__ = ["COUNT", "run"]

COUNT = 240
#: Seconds after which a command hangs; none takes more than a few.
_HANGS = 180
_DECISIONS = 4

#: What two or three of are done at once, in each of these states of the run.
_CHANGING = ("table", "table", "apply", "suggestions", "undo", "decide", "verify")
_STATES = ("decided", "applied", "applied twice")
#: Others: state and commands.
_OTHERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("interrupted", ("find", "find")),
    ("interrupted", ("find", "find", "find")),
    ("interrupted", ("find", "apply")),
    ("interrupted", ("find", "decide")),
    ("interrupted", ("find", "empty cache")),
    ("numbered", ("find next", "find next")),
    ("numbered", ("find next", "find next", "find next")),
    ("new", ("carry over", "carry over")),
    ("new", ("carry over", "table")),
    ("new", ("carry over", "carry over", "decide")),
    ("applied", ("retrain", "table")),
    ("applied", ("retrain", "undo")),
    ("applied", ("retrain", "retrain")),
    ("cached", ("find next", "empty cache")),
    ("cached", ("empty cache", "empty cache")),
    ("cached", ("find next", "empty cache", "empty cache")),
    ("folder", ("fill", "fill")),
    ("folder", ("fill", "fill", "fill")),
)


@dataclass(frozen=True)
class Case:
    """What is tried: commands that begin at once, some of which wait for others."""

    number: int
    state: str
    commands: tuple[str, ...]
    waits: tuple[bool, ...]
    delays: tuple[float, ...]

    def __str__(self) -> str:
        each = zip(self.commands, self.waits, self.delays, strict=True)
        shown = (f"{name}{' --wait' if wait else ''} after {delay * 1000:.0f} ms" for name, wait, delay in each)
        return f"case {self.number}, {self.state}: {', '.join(shown)}"


def cases(count: int, seed: int) -> list[Case]:
    """Return so many cases, every combination before any comes twice."""
    draw = random.Random(seed)
    pairs = list(itertools.combinations_with_replacement(dict.fromkeys(_CHANGING), 2))
    combinations = [(state, pair) for state in _STATES for pair in pairs]
    combinations += [(draw.choice(_STATES), tuple(draw.choices(_CHANGING, k=3))) for _ in range(20)]
    combinations += _OTHERS
    draw.shuffle(combinations)
    chosen = itertools.islice(itertools.cycle(combinations), count)
    return [
        Case(
            number,
            state,
            commands,
            tuple(draw.random() < 0.3 for _ in commands),
            tuple(draw.choice((0.0, 0.0, draw.random() * 0.3)) for _ in commands),
        )
        for number, (state, commands) in enumerate(chosen)
    ]


# --- The commands, each in a process of its own.


@dataclass(frozen=True)
class Place:
    """Where one command of a case works."""

    folder: Path
    who: int
    wait: bool

    @property
    def run(self) -> Run:
        return Run(self.folder / "run")

    @property
    def name(self) -> str:
        return f"reviewer {self.who}"

    @property
    def own(self) -> tuple[str, ...]:
        """The listings that nobody else decides on."""
        return IDS[self.who * _DECISIONS : (self.who + 1) * _DECISIONS]

    def find(self, folder: Path | None) -> Run:
        return curation.find_issues(
            curation.read_listings(self.folder.parent / "made" / "shop"),
            probabilities=tiny_probabilities(),
            text=False,
            run=folder,
            cache=self.folder / "cache",
            wait=self.wait,
        )


def _table(place: Place) -> list[str]:
    file = place.folder / f"decisions-{place.who}.csv"
    rows = [f"{id},delete,,{place.name}" for id in place.own[:2]]
    rows += [f"{id},reprice,{place.who + 100},{place.name}" for id in place.own[2:]]
    file.write_text("\n".join(["id,decision,new_price,reviewer", *rows]), encoding="utf-8")
    place.run.apply_fixes(file, wait=place.wait)
    return list(place.own)


def _apply(place: Place) -> list[str]:
    place.run.apply_fixes(wait=place.wait)
    return []


def _suggestions(place: Place) -> list[str]:
    place.run.apply_fixes(accept_suggestions=True, wait=place.wait)
    return []


def _undo(place: Place) -> list[str]:
    place.run.undo(wait=place.wait)
    return []


def _decide(place: Place) -> list[str]:
    for id in place.own:
        place.run.decide(id, "reprice", price=place.who + 200, reviewer=place.name)
    return list(place.own)


def _verify(place: Place) -> list[str]:
    found = place.run.verify()
    assert found.ok, [str(flaw) for flaw in found.faults]
    return []


def _retrain(place: Place) -> list[str]:
    changes = {"model": "lenet", "epochs": 1, "image_size": 32, "device": "cpu"}
    place.run.retrain(seeds=1, changes=changes, cache=place.folder / "cache", wait=place.wait)
    return []


def _find(place: Place) -> list[str]:
    place.find(place.folder / "run")
    return []


def _find_next(place: Place) -> list[str]:
    os.chdir(place.folder)
    return [str(place.find(None).folder)]


def _carry_over(place: Place) -> list[str]:
    carry_over(RunFolder(place.folder / "run"))
    return []


def _empty_cache(place: Place) -> list[str]:
    curation.cache(place.folder / "cache", limit=0)
    return []


def _fill(place: Place) -> list[str]:
    with whole_folder(place.folder / "filled") as built:
        time.sleep(0.05)
        for name in ("a", "b", "c"):
            (built / name).write_text(place.name)
    return []


COMMANDS: dict[str, Callable[[Place], list[str]]] = {
    "table": _table,
    "apply": _apply,
    "suggestions": _suggestions,
    "undo": _undo,
    "decide": _decide,
    "verify": _verify,
    "retrain": _retrain,
    "find": _find,
    "find next": _find_next,
    "carry over": _carry_over,
    "empty cache": _empty_cache,
    "fill": _fill,
}


def _process(command: str, place: Place, delay: float, begin: Any, answer: Path) -> None:
    """Do one command, and write down how it ended."""
    begin.wait()
    time.sleep(delay)
    try:
        ended = {"done": COMMANDS[command](place)}
    except RunInUseError as error:
        ended = {"refused": [str(error)]}
    except CurateError as error:
        ended = {"error": [str(error)]}
    except BaseException:
        ended = {"traceback": [traceback.format_exc()]}
    answer.write_text(json.dumps(ended), encoding="utf-8")


# --- The states they begin in, and what must hold in the end.


def prepare(folder: Path) -> None:
    """Make the run that all cases copy, in each state, below a folder."""
    made = tiny_run(folder / "made")
    for state in ("decided", "applied", "applied twice", "interrupted", "numbered", "new", "cached"):
        shutil.copytree(made.folder, folder / state / "run")
        shutil.copytree(folder / "made" / "cache", folder / state / "cache")
        run = Run(folder / state / "run")
        if state in ("decided", "applied", "applied twice"):
            run.decide("L11", "delete", reviewer="earlier")
        if state in ("applied", "applied twice"):
            run.apply_fixes()
        if state == "applied twice":
            run.apply_fixes(accept_suggestions=True)
    RunFolder(folder / "interrupted" / "run").update(status="interrupted")
    for state in ("numbered", "cached"):
        shutil.rmtree(folder / state / "run")
    earlier = Run(Path(shutil.copytree(made.folder, folder / "new" / "earlier")))
    RunFolder(earlier.folder).update(started="2020-01-01T00:00:00.000+00:00")
    earlier.decide("L11", "delete", reviewer="earlier")
    (folder / "folder").mkdir()


def attempt(case: Case, folder: Path) -> Tally:
    """Try one case in a folder with what :func:`prepare` made."""
    tally = Tally("pairs", tried=1)
    where = Path(shutil.copytree(folder / case.state, folder / f"case-{case.number}"))
    context = multiprocessing.get_context("fork")
    begin = context.Barrier(len(case.commands))
    answers = [where / f"answer-{place}.json" for place in range(len(case.commands))]
    processes = [
        context.Process(target=_process, args=(command, Place(where, place, wait), delay, begin, answers[place]))
        for place, (command, wait, delay) in enumerate(zip(case.commands, case.waits, case.delays, strict=True))
    ]
    for process in processes:
        process.start()
    until = time.monotonic() + _HANGS
    for process in processes:
        process.join(max(0.1, until - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
            tally.fault("hangs", str(case))
    if not tally.hangs:
        ended = [json.loads(answer.read_text(encoding="utf-8")) for answer in answers]
        _check(case, where, ended, tally)
    if tally.clean:
        shutil.rmtree(where)
    return tally


def _check(case: Case, where: Path, ended: list[dict[str, list[str]]], tally: Tally) -> None:
    for command, wait, each in zip(case.commands, case.waits, ended, strict=True):
        for text in each.get("traceback", []):
            tally.fault("tracebacks", f"{case}\n{text}")
        for line in each.get("refused", []):
            told = all(part in line for part in (" is in use by `", "(process ", " since ")) and "\n" not in line
            changed = command == "verify" and "was changed while it was verified" in line
            if not (told or changed) or (wait and command not in ("verify", "find next")):
                tally.fault("unexplained", f"{case}: {command} was refused: {line}")
        for line in each.get("error", []):
            if not _expected(case, command, line):
                tally.fault("unexplained", f"{case}: {command}: {line}")
    if case.state == "folder":
        texts = {file.read_text() for file in (where / "filled").iterdir()}
        if len(texts) != 1 or len(list((where / "filled").iterdir())) != 3:
            tally.fault("losses", f"{case}: the folder is a mixture: {texts}")
        return
    numbers = [each["done"][0] for command, each in zip(case.commands, ended, strict=True) if _numbered(command, each)]
    if len(set(numbers)) < len(numbers):
        tally.fault("losses", f"{case}: two runs in one folder: {numbers}")
    runs = [where / "run"] if (where / "run").exists() else [where / number for number in numbers]
    for folder in runs:
        try:
            found = [str(flaw) for flaw in Run(folder).verify().faults]
        except CurateError as error:
            found = [str(error)]
        for line in found:
            tally.fault("losses", f"{case}: {line}")
    if (where / "run").exists():
        _check_decisions(case, where, ended, tally)


def _numbered(command: str, each: dict[str, list[str]]) -> bool:
    return command == "find next" and "done" in each


def _expected(case: Case, command: str, line: str) -> bool:
    """Return whether a command may say so in this state, depending on who came first."""
    return any(
        part in line
        for part in (
            "holds a finished run" if command == "find" else "has not finished",
            "there is nothing to undo" if command == "undo" else "there are no decisions in",
            "no cleaned" if command == "retrain" else "nothing to compare",
            "nothing to compare",
        )
    )


def _check_decisions(case: Case, where: Path, ended: list[dict[str, list[str]]], tally: Tally) -> None:
    """Check that what was acknowledged is in the journal and, unless somebody took it back, in force and applied."""
    run = RunFolder(where / "run")
    journal = run.read_journal()
    said = {(e.content.id, e.content.reviewer) for e in journal.entries if isinstance(e.content, Decision)}
    holding = current_decisions(journal.decisions())
    undone = "undo" in case.commands
    cleaned = _cleaned(run)
    for place, (command, each) in enumerate(zip(case.commands, ended, strict=True)):
        for id in each.get("done", []) if command in ("table", "decide") else []:
            mine = f"reviewer {place}"
            if (id, mine) not in said:
                tally.fault("losses", f"{case}: the decision of {command} on {id} is not in the journal")
            elif not undone and (id not in holding or holding[id].reviewer != mine):
                tally.fault("losses", f"{case}: the decision of {command} on {id} does not hold")
            elif command == "table" and not undone and not _is_applied(holding[id], cleaned):
                tally.fault("losses", f"{case}: the decision of {command} on {id} is not in cleaned/")


def _cleaned(run: RunFolder) -> dict[str, str]:
    """Return the price of each listing in cleaned/."""
    if not run.cleaned.exists():
        return {}
    with (run.cleaned / "listings.csv").open(encoding="utf-8", newline="") as stream:
        return {row["id"]: row["price"] for row in csv.DictReader(stream)}


def _is_applied(decision: Decision, cleaned: dict[str, str]) -> bool:
    if decision.action == "delete":
        return bool(cleaned) and decision.id not in cleaned
    return decision.new_price is not None and float(cleaned.get(decision.id, "nan")) == decision.new_price


def _some(chosen: list[Case], folder: Path) -> Tally:
    return Tally("pairs").add(attempt(case, folder) for case in chosen)


def run(count: int, seed: int, jobs: int) -> Tally:
    """Try so many pairs and triples in parallel."""
    folder = Path(tempfile.mkdtemp(prefix="curate-pairs-"))
    # cases fork, which a process with threads must not
    context = multiprocessing.get_context("spawn")
    chosen = cases(count, seed)
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        pool.submit(prepare, folder).result()
        parts = [pool.submit(_some, chosen[place::jobs], folder) for place in range(jobs)]
        tally = Tally("pairs").add(part.result() for part in parts)
    if tally.clean:
        shutil.rmtree(folder)
    else:
        tally.notes.append(f"what failed is in {folder}")
    return tally

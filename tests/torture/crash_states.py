"""Power loss: every state that a file system may keep of the recorded operations of apply-fixes, undo and decisions.

After Pillai et al., "All File Systems Are Not Created Equal" (OSDI 2014; ALICE) and Mohan et al., "Finding
Crash-Consistency Bugs with Bounded Black-Box Crash Testing" (OSDI 2018; CrashMonkey). A command is recorded below
Python (shim.c). Of what was done before a moment, an fsync of a file keeps its data, and the name it was made with; an
fsync of a folder keeps the operations on its entries. What was not followed by one may be there or not, one by one:
names in any subset that can be carried out in their order, data whole, gone, cut off, or as zeros, some or all of it.
Each such state is written to a folder, where the next command must find all that was acknowledged, and go on.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation.run.folder import RunFolder
from curation.run.transactions import recover
from tests.torture._preloaded import RECORD, Ended, Fault, all_tried, has_shim, in_fork
from tests.torture.outcomes import left_overs, read_state
from tests.torture.scenarios import SCENARIOS, Scenario, make_template, state_wanted, template_of
from tests.torture.tally import Tally

COUNT = 1000
#: What is recorded, and how many times fixes were applied before it.
RECORDED = ("apply", "import", "undo", "decide", "folders", "copies", "undo-folders")
#: States that are looked at in one process; one of them is also given the next commands.
_BATCH = 25


def run(count: int, seed: int, jobs: int) -> Tally:
    """Rebuild `count` states, and let the next command go on from each."""
    return all_tried("crash_states", count, seed, jobs, RECORDED)


@dataclass(frozen=True)
class Operation:
    """One recorded operation: its name, its path, the other path of a rename or link, where, and with which data."""

    name: str
    path: str
    other: str
    at: int
    data: bytes


@dataclass
class Node:
    """A file: its data that was synced, and the writes since."""

    content: bytearray = field(default_factory=bytearray)
    pending: list[tuple[str, int, bytes]] = field(default_factory=list)


def read_log(log: Path) -> list[Operation]:
    """Return the operations that the shim recorded."""
    content, place, operations = log.read_bytes(), 0, []
    while place < len(content):
        end = content.index(b"\n", place)
        name, path, other, at, size = content[place:end].decode(errors="surrogateescape").split("\t")
        data = content[end + 1 : end + 1 + int(size)]
        operations.append(Operation(name, path, other, int(at), data))
        place = end + 1 + int(size)
    return operations


def apply(operation: Operation, names: dict[str, Node | None]) -> bool:
    """Carry out an operation on entries of folders; return whether it can be: names that it needs are there."""
    path, other = operation.path, operation.other
    parent = os.path.dirname(other if operation.name in ("rename", "link") else path)  # noqa: PTH120
    if operation.name in ("create", "mkdir"):
        if parent not in names or path in names:
            return False
        names[path] = None if operation.name == "mkdir" else Node()
    elif operation.name == "link":
        if parent not in names or other in names:
            return False
        # a photo of the dataset has been on the disk for long
        names[other] = names[path] if path in names else Node(bytearray(Path(path).read_bytes()))
    elif operation.name == "rename":
        if path not in names or parent not in names:
            return False
        moved = {name: node for name, node in names.items() if name == path or name.startswith(path + "/")}
        for name in moved:
            del names[name]
        names.update({other + name[len(path) :]: node for name, node in moved.items()})
    elif operation.name in ("unlink", "rmdir"):
        if path not in names or any(name.startswith(path + "/") for name in names):
            return False
        del names[path]
    return True


def crash_state(
    operations: list[Operation], base: dict[str, bytes | None], rng: random.Random
) -> dict[str, bytes | None]:
    """Return what is on the disk when the power fails after `operations`: path → content, None for a folder."""
    kept = _kept_names(operations, rng)
    names: dict[str, Node | None] = {
        path: None if content is None else Node(bytearray(content)) for path, content in base.items()
    }
    live = dict(names)
    nodes: dict[int, Node | None] = {}
    for place, operation in enumerate(operations):
        _live(operation, live)
        made = {"create": operation.path, "link": operation.other}.get(operation.name)
        if made:
            nodes[place] = live.get(made)
        if place in kept and _is_name(operation) and apply(operation, names) and made:
            names[made] = nodes[place]
    return {path: None if node is None else _content(node, rng) for path, node in names.items()}


def _is_name(operation: Operation) -> bool:
    return operation.name in ("create", "mkdir", "rename", "link", "unlink", "rmdir")


def _live(operation: Operation, live: dict[str, Node | None]) -> None:
    """Carry out an operation as the running system sees it."""
    if _is_name(operation):
        apply(operation, live)
        return
    node = live.get(operation.path)
    if node is None:
        return
    if operation.name == "fsync":
        for change in node.pending:
            _write(node.content, change)
        node.pending.clear()
    elif operation.name in ("write", "resize", "truncate"):
        node.pending.append((operation.name, operation.at, operation.data))


def _write(content: bytearray, change: tuple[str, int, bytes]) -> None:
    name, at, data = change
    if name == "write":
        content.extend(b"\0" * max(0, at - len(content)))
        content[at : at + len(data)] = data
    else:
        del content[at if name == "resize" else 0 :]


def _content(node: Node, rng: random.Random) -> bytes:
    """Return what may be left of a file: what was synced, and any part of the writes since."""
    content = bytearray(node.content)
    for change in node.pending:
        name, at, data = change
        what = rng.choice(("whole", "whole", "gone", "cut", "zeros", "zeros from"))
        if what == "gone":
            continue
        if name == "write" and data and what == "cut":
            data = data[: rng.randrange(len(data))]
        elif name == "write" and what == "zeros":
            data = b"\0" * len(data)
        elif name == "write" and data and what == "zeros from":
            first = rng.randrange(len(data))
            data = data[:first] + b"\0" * (len(data) - first)
        _write(content, (name, at, data))
    return bytes(content)


def _kept_names(operations: list[Operation], rng: random.Random) -> set[int]:
    """Return the operations on names that the disk keeps: those that were synced, and some of the others."""
    #: The folders that must be synced before the disk keeps an operation for sure.
    loose: dict[int, set[str]] = {}
    for place, operation in enumerate(operations):
        if _is_name(operation):
            loose[place] = _folders(operation)
        elif operation.name == "fsync":
            for earlier, folders in loose.items():
                # of a file: the name that it was made with, too
                made = operations[earlier].name == "create" and operations[earlier].path == operation.path
                folders -= folders if made else {operation.path}
    kept = {place for place, folders in loose.items() if not folders}
    others = [place for place in loose if place not in kept]
    # nothing, everything, a prefix (a journalling file system), or any subset
    how = rng.choice(("none", "all", "prefix", "subset", "subset"))
    if how == "all":
        kept.update(others)
    elif how == "prefix":
        kept.update(others[: rng.randrange(len(others) + 1)])
    elif how == "subset":
        kept.update(place for place in others if rng.random() < 0.5)
    return kept


def _folders(operation: Operation) -> set[str]:
    """Return the folders that an operation changes."""
    paths = {"rename": [operation.path, operation.other], "link": [operation.other]}.get(
        operation.name, [operation.path]
    )
    return {os.path.dirname(path) for path in paths}  # noqa: PTH120


def batched(numbers: Iterable[int], size: int) -> Iterator[list[int]]:
    """Yield the numbers in lists of `size` at most."""
    rest = list(numbers)
    for first in range(0, len(rest), size):
        yield rest[first : first + size]


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return all below a folder, with the folder: path → content, None for a folder."""
    found: dict[str, bytes | None] = {str(folder): None}
    for path in sorted(folder.rglob("*")):
        found[str(path)] = None if path.is_dir() else path.read_bytes()
    return found


def rebuild(state: dict[str, bytes | None], recorded: Path, folder: Path) -> None:
    """Write a state of the folder `recorded` to another folder."""
    for path, content in sorted(state.items()):
        place = folder / Path(path).relative_to(recorded)
        if content is None:
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.write_bytes(content)


@dataclass(frozen=True)
class _Recording:
    """An undisturbed command: where, what was there before, its operations, and what it printed."""

    scenario: Scenario
    case: Path
    base: dict[str, bytes | None]
    operations: list[Operation]
    output: str


def cases_template(folder: Path) -> None:
    """Make what all cases begin with."""
    make_template(folder)


def cases(numbers: Iterable[int], seed: int, folder: Path, names: list[str]) -> Tally:
    """Try the states with these numbers."""
    tally = Tally("crash_states")
    if not has_shim():
        tally.skipped = "no C compiler"
        return tally
    recordings = [_record(SCENARIOS[name], folder / f"recorded-{name}") for name in names]
    for batch in batched(numbers, _BATCH):
        tally.add([in_fork(_looked_at, batch, seed, folder, recordings)])
        # one of each batch is also given the next commands
        number = batch[0]
        recording, moment, place = _rebuilt(number, seed, folder, recordings)
        ended = moment == len(recording.operations)
        disturbed = Ended(0 if ended else -9, "\n".join(_acknowledged(recording, moment)), 0.0)
        for count, line in recording.scenario.after(recording.scenario, place, disturbed):
            tally.fault(count, f"{_words(number, recording, moment)}: {line}")
        shutil.rmtree(place)
    return tally


def _record(scenario: Scenario, case: Path) -> _Recording:
    scenario.prepare(case)
    base, log = tree(case), case.with_suffix(".log")
    ended = scenario.command(case, fault=Fault(case, RECORD, log=log, with_data=True))
    if ended.code != 0:
        raise RuntimeError(f"{scenario.name} failed undisturbed:\n{ended.output}")
    return _Recording(scenario, case, base, read_log(log), ended.output)


def _rebuilt(number: int, seed: int, folder: Path, recordings: list[_Recording]) -> tuple[_Recording, int, Path]:
    rng = random.Random(f"{seed} {number}")
    recording = recordings[number % len(recordings)]
    count = len(recording.operations)
    # one in eight after the last operation, when all of it was acknowledged
    moment = count if rng.random() < 1 / 8 else rng.randrange(count + 1)
    state = crash_state(recording.operations[:moment], recording.base, rng)
    place = folder / f"state-{number}"
    rebuild(state, recording.case, place)
    return recording, moment, place


def _words(number: int, recording: _Recording, moment: int) -> str:
    last = recording.operations[moment - 1] if moment else None
    what = f"{last.name} {Path(last.path).name}" if last else "nothing"
    return f"state {number} ({recording.scenario.name}, after {moment} of {len(recording.operations)}: {what})"


def _looked_at(numbers: Iterable[int], seed: int, folder: Path, recordings: list[_Recording]) -> Tally:
    tally = Tally("crash_states")
    for number in numbers:
        recording, moment, place = _rebuilt(number, seed, folder, recordings)
        tally.tried += 1
        for count, line in _verify(recording, place, moment):
            tally.fault(count, f"{_words(number, recording, moment)}: {line}")
        shutil.rmtree(place)
    return tally


def _verify(recording: _Recording, place: Path, moment: int) -> Iterator[tuple[str, str]]:
    """Recover a state, and yield what is wrong then."""
    scenario, template = recording.scenario, template_of(place)
    first, ended = int(scenario.run or 0), moment == len(recording.operations)
    run = RunFolder(place / "run")
    try:
        recover(run.folder, run.journal)
        state = read_state(run.folder)
    except Exception as error:
        yield "tracebacks", f"{type(error).__name__}: {str(error)[:300]}"
        return
    if scenario.name == "decide":
        yield from _decisions(recording, state, moment)
        return
    after = scenario.becomes
    allowed = [state_wanted(template, number) for number in ([after] if ended else [after, first])]
    if state not in allowed:
        shown = {name: str(value)[:200] for name, value in state.items()}
        yield "losses", f"neither before nor after{' (it was acknowledged)' if ended else ''}: {shown}"
    if left := left_overs(run.folder):
        yield "unexplained", f"left over: {left}"


def _decisions(recording: _Recording, state: dict[str, Any], moment: int) -> Iterator[tuple[str, str]]:
    now = {row[0] for row in state["decisions"]}
    if lost := [id for id in _acknowledged(recording, moment) if id not in now]:
        yield "losses", f"acknowledged decisions are gone: {lost}"


def _acknowledged(recording: _Recording, moment: int) -> list[str]:
    """Return the listings whose decisions were acknowledged before a moment: the journal was synced then."""
    done = recording.operations[:moment]
    synced = sum(each.name == "fsync" and each.path.endswith("/decisions.jsonl") for each in done)
    return [line for line in recording.output.split() if line.isdigit()][:synced]

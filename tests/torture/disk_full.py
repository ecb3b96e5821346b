"""A disk that is full from some moment on: one line of error, exit code 2, and the same command goes on with room.

On a small tmpfs where root can mount one; else every operation that needs room fails from one on (shim.c).
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.torture._preloaded import FULL_FROM, Ended, Fault, all_tried, has_shim
from tests.torture.file_faults import recorded
from tests.torture.scenarios import SCENARIOS, Scenario, make_template
from tests.torture.tally import Tally

COUNT = 48
QUICK = ("apply", "import", "undo", "decide", "find")
#: Bytes of a disk that has room for everything.
_LARGE = 64 * 2**20


def run(count: int, seed: int, jobs: int, names: Iterable[str] = tuple(SCENARIOS)) -> Tally:
    """Fill the disk at `count` moments, spread evenly over the scenarios."""
    return all_tried("disk_full", count, seed, jobs, names)


def cases_template(folder: Path) -> None:
    """Make what all cases begin with."""
    make_template(folder)


def cases(numbers: Iterable[int], seed: int, folder: Path, names: list[str]) -> Tally:
    """Try the moments with these numbers."""
    tally, needs = Tally("disk_full"), dict[str, int]()
    mounts = _can_mount(folder / "probe")
    if not mounts and not has_shim():
        tally.skipped = "no right to mount, and no C compiler"
        return tally
    for number in numbers:
        rng = random.Random(f"{seed} {number}")
        scenario = SCENARIOS[names[number % len(names)]]
        if scenario.name not in needs:
            need = _bytes_needed if mounts else _operations
            needs[scenario.name] = need(scenario, folder / f"undisturbed-{scenario.name}")
        left = rng.randrange(needs[scenario.name])
        fill = _on_full_disk if mounts else _without_room
        tally.tried += 1
        for count, line in fill(scenario, folder / f"disk-{number}", left):
            what = f"{left} bytes free" if mounts else f"full from operation {left}"
            tally.fault(count, f"moment {number} ({scenario.name}, {what}): {line}")
    return tally


def _on_full_disk(scenario: Scenario, disk: Path, left: int) -> Iterator[tuple[str, str]]:
    with _tmpfs(disk):
        case = disk / "case"
        scenario.prepare(case)
        _resize(disk, _used(disk) + left)
        ended = scenario.command(case)
        yield from _told(ended)
        _resize(disk, _LARGE)
        yield from scenario.verify(case, ended)


def _without_room(scenario: Scenario, case: Path, left: int) -> Iterator[tuple[str, str]]:
    scenario.prepare(case)
    ended = scenario.command(case, fault=Fault(case, FULL_FROM, left + 1, errno.ENOSPC))
    yield from _told(ended)
    yield from scenario.verify(case, ended)
    shutil.rmtree(case)


def _told(ended: Ended) -> Iterator[tuple[str, str]]:
    if ended.code not in (0, 2):
        yield "unexplained", f"ended with {ended.code}: {ended.last}"
    elif ended.code == 2 and not any(words in ended.last for words in ("No space left", "disk is full")):
        yield "unexplained", f"does not say that the disk is full: {ended.last}"


def _operations(scenario: Scenario, case: Path) -> int:
    return len(recorded(scenario, case))


def _bytes_needed(scenario: Scenario, disk: Path) -> int:
    """Return the bytes that the command adds to a disk."""
    with _tmpfs(disk):
        case = disk / "case"
        scenario.prepare(case)
        before = _used(disk)
        ended = scenario.command(case)
        if ended.code != 0:
            raise RuntimeError(f"{scenario.name} failed undisturbed:\n{ended.output}")
        return max(4096, _used(disk) - before) + 8192


def _used(disk: Path) -> int:
    facts = os.statvfs(disk)
    return (facts.f_blocks - facts.f_bfree) * facts.f_frsize


def _resize(disk: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True, capture_output=True)


def _can_mount(folder: Path) -> bool:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    try:
        with _tmpfs(folder):
            return True
    except (subprocess.CalledProcessError, OSError):
        return False


@contextmanager
def _tmpfs(folder: Path) -> Iterator[None]:
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_LARGE}", "tmpfs", str(folder)], check=True, capture_output=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)
        folder.rmdir()

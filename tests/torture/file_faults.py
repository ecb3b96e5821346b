"""Each file operation of a command fails once, or the process dies right after it; below Python, by a library in C.

As SQLite's tests do (https://www.sqlite.org/testing.html, "Anomaly Testing"): the operations of an undisturbed command
are counted, then it is given again and again with another one failing.
"""

from __future__ import annotations

import errno
import random
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.torture._preloaded import DIE_AFTER, FAIL_ONCE, RECORD, Fault, all_tried, has_shim
from tests.torture.scenarios import SCENARIOS, Scenario, make_template
from tests.torture.tally import Tally

COUNT = 300
QUICK = ("apply", "import", "undo", "decide", "find", "trim")
#: What an operation fails with, or None: the process dies after it.
ERRORS = (errno.ENOSPC, errno.EIO, None, errno.EDQUOT, errno.EINTR)


def run(count: int, seed: int, jobs: int, names: Iterable[str] = QUICK) -> Tally:
    """Disturb `count` operations, spread evenly over those of the scenarios."""
    return all_tried("file_faults", count, seed, jobs, names)


def cases_template(folder: Path) -> None:
    """Make what all cases begin with."""
    make_template(folder)


def cases(numbers: Iterable[int], seed: int, folder: Path, names: list[str]) -> Tally:
    """Try the faults with these numbers."""
    tally, operations = Tally("file_faults"), dict[str, list[str]]()
    if not has_shim():
        tally.skipped = "no C compiler"
        return tally
    for number in numbers:
        rng = random.Random(f"{seed} {number}")
        scenario = SCENARIOS[names[number % len(names)]]
        if scenario.name not in operations:
            operations[scenario.name] = recorded(scenario, folder / f"undisturbed-{scenario.name}")
        known = operations[scenario.name]
        # evenly over all operations of the scenario, from a random first one
        chosen = 1 + (random.Random(seed).randrange(len(known)) + 37 * (number // len(names))) % len(known)
        error = rng.choice(ERRORS)
        case = folder / f"case-{number}"
        scenario.prepare(case)
        fault = Fault(case, DIE_AFTER if error is None else FAIL_ONCE, chosen, error or 0)
        ended = scenario.command(case, fault=fault)
        tally.tried += 1
        what = "death after" if error is None else f"{errno.errorcode[error]} at"
        for count, line in scenario.verify(case, ended):
            tally.fault(count, f"fault {number} ({scenario.name}, {what} {known[chosen - 1]}): {line}")
        shutil.rmtree(case)
    return tally


def recorded(scenario: Scenario, case: Path) -> list[str]:
    """Return the operations of the undisturbed command, e.g. ``12 rename run/.run-1f.json run/run.json``."""
    scenario.prepare(case)
    log = case.with_suffix(".log")
    ended = scenario.command(case, fault=Fault(case, RECORD, log=log))
    if ended.code != 0:
        raise RuntimeError(f"{scenario.name} failed undisturbed:\n{ended.output}")
    lines = log.read_text(errors="replace").replace(f"{case}/", "").splitlines()
    shutil.rmtree(case)
    # those that failed by themselves, e.g. an unlink of what is not there, are counted, but not recorded
    return [f"{number} {' '.join(line.split(chr(9))[:3])}" for number, line in enumerate(lines, start=1)]

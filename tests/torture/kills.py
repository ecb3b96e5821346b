"""SIGKILL of a command's process group at random moments; the same command is given again, and must go on."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.torture._preloaded import Ended, all_tried
from tests.torture.scenarios import SCENARIOS, Scenario, make_template
from tests.torture.tally import Tally

COUNT = 500
#: Those that take a second at most; the quick part has only these.
QUICK = ("apply", "import", "undo", "decide", "find")


def run(count: int, seed: int, jobs: int, names: Iterable[str] = tuple(SCENARIOS)) -> Tally:
    """Kill commands `count` times, spread over the scenarios by their weight."""
    return all_tried("kills", count, seed, jobs, names)


def cases_template(folder: Path) -> None:
    """Make what all cases begin with."""
    make_template(folder)


def cases(numbers: Iterable[int], seed: int, folder: Path, names: list[str]) -> Tally:
    """Try the kills with these numbers."""
    tally, seconds = Tally("kills"), dict[str, float]()
    chosen = [SCENARIOS[name] for name in names]
    weights = [scenario.weight for scenario in chosen]
    for number in numbers:
        rng = random.Random(f"{seed} {number}")
        scenario = rng.choices(chosen, weights)[0]
        if scenario.name not in seconds:
            seconds[scenario.name] = _undisturbed(scenario, folder / f"undisturbed-{scenario.name}")
        case = folder / f"case-{number}"
        scenario.prepare(case)
        moment = rng.random() * seconds[scenario.name]
        ended = scenario.command(case, kill_after=moment)
        tally.tried += 1
        for count, line in scenario.verify(case, ended):
            tally.fault(count, f"kill {number} ({scenario.name} after {moment:.3f} s): {line}")
        shutil.rmtree(case)
    return tally


def _undisturbed(scenario: Scenario, case: Path) -> float:
    """Return the seconds of the command when nothing disturbs it."""
    scenario.prepare(case)
    ended: Ended = scenario.command(case)
    if ended.code != 0:
        raise RuntimeError(f"{scenario.name} failed undisturbed:\n{ended.output}")
    shutil.rmtree(case)
    return ended.seconds

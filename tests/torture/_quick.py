"""A few cases of each kind that disturbs commands, in one preloaded process: the quick part."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.torture import crash_states, disk_full, file_faults, kills, pairs
from tests.torture.scenarios import make_template
from tests.torture.tally import Tally

_NAMES = ["apply", "undo", "decide"]
#: How many cases of each kind.
COUNTS = {kills: 2, file_faults: 4, disk_full: 2, crash_states: 60, pairs: 1}


def cases_template(folder: Path) -> None:
    """Make what all cases begin with."""
    make_template(folder)


def cases(numbers: Iterable[int], seed: int, folder: Path, names: list[str]) -> list[Tally]:
    """Try a few cases of each kind; `numbers` says nothing here."""
    tallies = []
    for kind, count in COUNTS.items():
        place = folder / kind.__name__
        place.mkdir()
        tallies.append(kind.cases(range(count), seed, place, _NAMES))
    return [*tallies, _without_lock(folder / "without-lock")]


def _without_lock(folder: Path) -> Tally:
    """Try two writers at once without the lock of the run until something is lost."""
    folder.mkdir()
    tally = Tally("pairs")
    for number in range(6):
        tally.add([pairs.cases([number], 1, folder, [pairs.WITHOUT_LOCK, "table", "suggestions"])])
        if tally.losses or tally.skipped:
            break
    return tally

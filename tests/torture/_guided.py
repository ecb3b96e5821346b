"""The process of `coverage`: it instruments what it imports, then forks for each reader.

``python -m tests.torture._guided COUNT SEED JOBS FOLDER`` leaves ``tally.json`` in the folder.
"""

from __future__ import annotations

import json
import os
import random
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["curation", "training"]):
    from tests.torture.fuzz import SECONDS, attempt, bend, confine, require_read, tally_of
    from tests.torture.fuzz_cases import READERS, Reader
    from tests.torture.tally import Tally

#: Bytes that a content may have at most, beyond twice the longest honest one.
_LONGEST = 20_000
#: Seconds of the clock after which libFuzzer ends a case that holds Python itself up.
_TIMEOUT = 4 * SECONDS


def guide(count: int, seed: int, jobs: int, folder: Path, makers: dict[str, Callable[[Path], Reader]]) -> Tally:
    """Try `count` cases of all readers together, `jobs` readers at once.

    Parameters
    ----------
    count, seed, jobs : int
        As for ``run`` of each kind.
    folder : Path
        Each reader gets a folder in it.
    makers : dict of str to callable
        Makes each reader in a folder.
    """
    left = dict.fromkeys(makers, -(-count // len(makers)))
    running: dict[int, str] = {}
    codes: dict[str, int] = {}
    while left or running:
        if left and len(running) < jobs:
            name = next(iter(left))
            running[_fork(makers[name], name, left.pop(name), seed, folder / name)] = name
        else:
            pid, status = os.wait()
            codes[running.pop(pid)] = os.waitstatus_to_exitcode(status)
    return Tally("coverage").add(tally_of("coverage", codes[name], folder / name) for name in makers)


def _fork(make: Callable[[Path], Reader], name: str, count: int, seed: int, folder: Path) -> int:
    folder.mkdir(parents=True)
    if pid := os.fork():
        return pid
    try:
        confine(folder)
        _search(make(folder / "reader"), count, seed)
    finally:
        # libFuzzer ends the process itself, or _Cases does: whoever comes here has raised something
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        os._exit(1)


def _search(reader: Reader, count: int, seed: int) -> None:
    """Let libFuzzer call the reader `count` times; this process ends with it."""
    require_read(reader)
    for folder in (corpus := Path("corpus"), honest := Path("honest")):
        folder.mkdir()
    for place, content in enumerate(reader.honest):
        (honest / str(place)).write_bytes(content)
    longest = _LONGEST + 2 * max(map(len, reader.honest))
    cases = _Cases(reader, count, seed, corpus)
    # one change at a time: after five, which is usual, hardly a content is read
    options = {"mutate_depth": 1, "len_control": 0, "max_len": longest}
    # memory has a bound already
    options |= {"seed": seed + 1, "timeout": _TIMEOUT, "rss_limit_mb": 0}
    arguments = [reader.name, str(corpus), str(honest), *(f"-{name}={value}" for name, value in options.items())]
    atheris.Setup(arguments, cases.one, custom_mutator=_mutate, internal_libfuzzer=True)
    atheris.Fuzz()


def _mutate(content: bytes, longest: int, seed: int) -> bytes:
    rng = random.Random(seed)
    if rng.random() < 0.5:
        return bend(content, rng)[:longest]
    return bytes(atheris.Mutate(content, longest))


class _Cases:
    """Counts what comes of each case, and ends the process after the last."""

    def __init__(self, reader: Reader, count: int, seed: int, corpus: Path) -> None:
        self.reader, self.count, self.seed, self.corpus = reader, count, seed, corpus
        self.tally = Tally("coverage")
        self.outcomes = {"read": 0, "refused": 0, "fault": 0}

    def one(self, content: bytes) -> None:
        """Try a content that libFuzzer made."""
        # for whoever looks at a process that died in it
        Path("content").write_bytes(content)
        case = f"{self.reader.name}, case {self.tally.tried} of seed {self.seed}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.outcomes[attempt(self.reader, content, case, self.tally)] += 1
        if self.tally.tried >= self.count:
            self._end()

    def _end(self) -> None:
        # libFuzzer adds a file for each content that reached code which none had reached before
        kept = sum(1 for _ in self.corpus.iterdir())
        outcomes = ", ".join(f"{times:,} {outcome}" for outcome, times in self.outcomes.items() if times)
        self.tally.notes = [f"{self.reader.name}: {outcomes}; {kept:,} reached new code"]
        Path("tally.json").write_text(json.dumps(vars(self.tally)))
        os._exit(0)


def main() -> None:
    """Guide all readers, and leave their tally."""
    count, seed, jobs, folder = (*map(int, sys.argv[1:4]), Path(sys.argv[4]))
    tally = guide(count, seed, jobs, folder / "readers", READERS)
    (folder / "tally.json").write_text(json.dumps(vars(tally)))


if __name__ == "__main__":
    main()

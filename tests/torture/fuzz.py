"""Anything as input: every reader gets files that are cut, bent, mixed and made up, and says what is wrong with each.

A case is a reader and a content. Most are honest files with random damage; others are drawn by hypothesis, in the shape
that the reader wants but with values that nobody expects. A reader may take a case or refuse it with one of our errors,
in one message; anything else is a traceback. A worker may take 6 GB more than it starts with, and a minute of the
processor for one case.
"""

from __future__ import annotations

import collections
import json
import multiprocessing
import os
import random
import resource
import signal
import tempfile
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from curation.errors import CurateError
from tests.torture.fuzz_cases import DRAWN, READERS, WEIGHTS, Reader, drawn
from tests.torture.tally import Tally

__all__ = ["COUNT", "SECONDS", "attempt", "bend", "confine", "require_read", "run", "tally_of", "try_cases"]

COUNT = 100_000
#: Of all cases, those that hypothesis draws.
_DRAWN = 0.2
#: Bytes that a worker may add to its memory, and seconds of the processor for a case.
_MEMORY, SECONDS = 6 << 30, 60
#: Characters of one of our messages.
_LONGEST = 8000
#: What files of text and archives are made of.
_PIECES = (
    *(b'"', b"'", b"\n", b"\r", b",", b";", b"\t", b"\\", b"[", b"{", b"}", b"]", b":", b"=", b"\0", b"\xff", b"\x1a"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\\ud800", b"NaN", b"1e999", b"-", b"null"),
    *(b"../", b"/etc/passwd", b"__proto__", b"9" * 400, b"[" * 3000, b"\x00" * 64, b"\xff" * 8, b"PK\x03\x04", b"PAR1"),
    *(b"true", b"0", b"-1", b'""', b"{}", b"[]", b"2026-13-45T99:99:99", b"\x1b[2J", b"%s", b"{0}", b"=1+1"),
)


class _Hang(BaseException):
    """A case that does not end."""


def run(count: int, seed: int, jobs: int) -> Tally:
    """Try `count` cases in `jobs` processes.

    Parameters
    ----------
    count : int
        Cases of all readers together.
    seed : int
        Decides the cases.
    jobs : int
        Processes at once.
    """
    with tempfile.TemporaryDirectory() as folder:
        shares = [count // jobs + (place < count % jobs) for place in range(jobs)]
        spawn = multiprocessing.get_context("spawn")
        workers = []
        for place, share in enumerate(shares):
            (own := Path(folder) / str(place)).mkdir()
            worker = spawn.Process(target=_work, args=(share, seed * 1000 + place, own))
            worker.start()
            workers.append((worker, own))
        for worker, _ in workers:
            worker.join()
        return Tally("fuzz").add(tally_of("fuzz", worker.exitcode, own) for worker, own in workers)


def tally_of(kind: str, code: int | None, folder: Path) -> Tally:
    """Return the tally that a process left in its folder; one that left none ended within a case."""
    if (folder / "tally.json").exists():
        return Tally(**json.loads((folder / "tally.json").read_text()))
    tally = Tally(kind)
    case = (folder / "case").read_text() if (folder / "case").exists() else "before the first case"
    tally.fault("unexplained", f"the process ended with {code}: {case}")
    return tally


def _work(count: int, seed: int, folder: Path) -> None:
    confine(folder)
    (folder / "tally.json").write_text(json.dumps(vars(try_cases(count, seed, folder))))


def confine(folder: Path) -> None:
    """Make `folder` the current one, with a cache of its own, and bound the memory of this process."""
    os.chdir(folder)
    os.environ["CURATE_CACHE_DIR"] = str(folder / "cache")
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, resource.RLIM_INFINITY))


def try_cases(count: int, seed: int, folder: Path) -> Tally:
    """Try `count` cases in this process, whose current folder is `folder`."""
    readers = {name: make(folder / name) for name, make in READERS.items()}
    for reader in readers.values():
        require_read(reader)
    tally = Tally("fuzz")
    outcomes: collections.Counter[str] = collections.Counter()

    def one(reader: Reader, content: bytes, case: str) -> None:
        with warnings.catch_warnings():
            # of the libraries that read it, about what is odd in it
            warnings.simplefilter("ignore")
            outcomes[f"{reader.name} {attempt(reader, content, case, tally)}"] += 1

    bent = count - int(count * _DRAWN)
    weights = [WEIGHTS[name] for name in readers]
    for number in range(bent):
        rng = random.Random(f"{seed}-{number}")
        reader = rng.choices(list(readers.values()), weights)[0]
        one(reader, bend(rng.choice(reader.honest), rng), f"{reader.name}, case {number} of seed {seed}")
    names, rng = list(DRAWN), random.Random(seed)
    shares = collections.Counter(rng.choices(names, [WEIGHTS[name] for name in names], k=count - bent))
    for name, share in sorted(shares.items()):
        for number, content in enumerate(drawn(DRAWN[name], share, seed)):
            one(readers[name], content, f"{name}, drawn case {number} of seed {seed}")
    # how often each reader was tried, with what outcome
    tally.notes = [", ".join(f"{outcome} {times:,}" for outcome, times in sorted(outcomes.items()))]
    return tally


def require_read(reader: Reader) -> None:
    """A reader that refuses what it is made for would test nothing."""
    for content in reader.honest:
        reader.read(content)


def _end(signal_number: int, frame: FrameType | None) -> None:
    raise _Hang


def attempt(reader: Reader, content: bytes, case: str, tally: Tally) -> str:
    """Let a reader read a content, count what comes of it, and return that in a word."""
    tally.tried += 1
    Path("case").write_text(case)
    before = signal.signal(signal.SIGVTALRM, _end)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    fault, count, outcome = "", "tracebacks", "read"
    try:
        reader.read(content)
    except CurateError as error:
        outcome = "refused"
        message = str(error)
        if len(message) > _LONGEST or not message.strip():
            fault, count = f"message of {len(message):,} characters: {message[:200]!r}", "unexplained"
    except _Hang:
        fault, count = f"took more than {SECONDS} s", "hangs"
    # MemoryError and RecursionError, too
    except Exception as error:
        fault = f"{type(error).__name__}: {str(error)[:200]!r} in {_place(error)}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    if not fault:
        return outcome
    tally.fault(count, f"{case}: {fault}")
    if folder := os.environ.get("CURATE_FUZZ_KEEP"):
        (Path(folder) / f"{reader.name}-{len(tally.faults)}").write_bytes(content)
    return "fault"


def _place(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)]
    ours = [frame for frame in frames if "/curation/" in frame.filename or "/training/" in frame.filename]
    frame = (ours or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def bend(content: bytes, rng: random.Random) -> bytes:
    """Return a content with up to three kinds of damage."""
    bent = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        bent = rng.choice(_BENDS)(bent, rng)
    return bytes(bent)


def _cut(content: bytearray, rng: random.Random) -> bytearray:
    return content[: rng.randrange(len(content) + 1)]


def _flip(content: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.randint(1, 6) if content else 0):
        content[rng.randrange(len(content))] = rng.choice((rng.randrange(256), 0, 255, 127, 128))
    return content


def _insert(content: bytearray, rng: random.Random) -> bytearray:
    place = rng.randrange(len(content) + 1)
    content[place:place] = rng.choice(_PIECES) * rng.choice((1, 1, 2, 50))
    return content


def _overwrite(content: bytearray, rng: random.Random) -> bytearray:
    piece = rng.choice(_PIECES)
    place = rng.randrange(len(content) + 1)
    content[place : place + len(piece)] = piece
    return content


def _repeat(content: bytearray, rng: random.Random) -> bytearray:
    start = rng.randrange(len(content) + 1)
    end = min(len(content), start + rng.randrange(1, 200))
    content[start:start] = content[start:end] * rng.choice((1, 2, 30))
    return content


def _drop(content: bytearray, rng: random.Random) -> bytearray:
    start = rng.randrange(len(content) + 1)
    del content[start : start + rng.randrange(1, 60)]
    return content


def _shuffle(content: bytearray, rng: random.Random) -> bytearray:
    lines = bytes(content).split(b"\n")
    rng.shuffle(lines)
    return bytearray(b"\n".join(lines))


def _number(content: bytearray, rng: random.Random) -> bytearray:
    """Write a number of a binary format anew: lengths and counts are among them."""
    width = rng.choice((1, 2, 4, 8))
    if len(content) < width:
        return content
    place = rng.randrange(len(content) - width + 1)
    value = rng.choice((0, 1, 2 ** (8 * width) - 1, 2 ** (8 * width - 1), 2 ** (8 * width - 1) - 1, rng.randrange(256)))
    content[place : place + width] = value.to_bytes(width, "little")
    return content


def _noise(content: bytearray, rng: random.Random) -> bytearray:
    return bytearray(rng.randbytes(rng.randrange(300)))


_BENDS: list[Callable[[bytearray, random.Random], bytearray]] = [
    *(_cut, _flip, _flip, _insert, _insert, _overwrite, _repeat, _drop, _shuffle, _number, _number),
    _noise,
]

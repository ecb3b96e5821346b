"""Odd photos, made by script and seed: each is read or named with its reason, within bounds of time and memory.

Where the environment variable ``TORTURE_PHOTOS`` names a folder, the photos below it are tried instead; each of them
may be read or named.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

from PIL import Image

from curation.exploration.headers import read_headers
from curation.rendering.thumbnails import make_thumbnail
from tests.torture._odd_photos import OddPhoto, cut, flipped, no_files, whole
from tests.torture._photo_bombs import large_bombs, small_bombs
from tests.torture.tally import Tally
from training.images.cache import PhotoCache
from training.images.ingest import store_photos
from training.utils.noise import noise_to
from training.utils.progress import silent

__all__ = ["COUNT", "run"]

COUNT = 1500
#: Processor seconds, and MB beyond those of the program, that a photo may take: read, for explore, as a thumbnail.
_SECONDS, _MB = 120, 4000
#: Seconds without a photo that is done, on a busy machine, that are a hang.
_HANG = 600
_SHOWN = 12
#: Of fewer photos, none is large: they take seconds each to make and to refuse.
_ALL = 1000
_LONGEST = 202


def run(count: int, seed: int, jobs: int) -> Tally:
    """Make odd photos, read each of them in a process of its own kind, and count those that are not explained."""
    folder_of_others = os.environ.get("TORTURE_PHOTOS")
    with noise_to():
        photos = list(_others(Path(folder_of_others), count, seed) if folder_of_others else _odd_photos(count, seed))
    tally, worst = Tally("photos"), defaultdict(lambda: (0.0, 0.0))
    outcomes: dict[str, int] = defaultdict(int)
    with tempfile.TemporaryDirectory(prefix="odd-photos-") as folder, ThreadPoolExecutor(jobs) as pool:
        parts = [(photos[part::jobs], Path(folder) / str(part)) for part in range(jobs)]
        for part in pool.map(lambda part: _part(*part), parts):
            for photo, found in part:
                tally.tried += 1
                _judge(photo, found, tally)
                if found.get("seconds") is not None:
                    seconds, size = worst[photo.kind]
                    worst[photo.kind] = max(seconds, found["seconds"]), max(size, found["mb"])
                    outcomes["named" if found["error"] else "read"] += 1
    kinds = sorted(worst.items(), key=lambda kind: -max(kind[1][0] / _SECONDS, kind[1][1] / _MB))
    tally.notes.append(", ".join(f"{count:,} {what}" for what, count in sorted(outcomes.items())))
    tally.notes += [_bounds(kind, [most]) for kind, most in kinds[:_SHOWN]]
    if rest := [most for _, most in kinds[_SHOWN:]]:
        tally.notes.append(_bounds(f"each of {len(rest)} other kinds", rest))
    return tally


def _bounds(what: str, most: list[tuple[float, float]]) -> str:
    seconds, size = (max(values) for values in zip(*most, strict=True))
    return f"{what}: at most {seconds:.1f} s of a processor, {size:,.0f} MB"


def _odd_photos(count: int, seed: int) -> Iterator[OddPhoto]:
    """Yield this many odd photos, in an order that the seed decides."""
    draw = random.Random(seed)
    fixed = [*no_files(), *small_bombs(), *whole(), *cut()]
    draw.shuffle(fixed)
    # a quarter is flipped
    fixed = [*(large_bombs() if count >= _ALL else ()), *fixed][: count - count // 4]
    yield from fixed
    bases = [photo for photo in whole() if photo.reason == ""]
    for number in range(len(fixed), count):
        yield flipped(draw.choice(bases), number, draw.randrange(2**32))


def _others(folder: Path, count: int, seed: int) -> Iterator[OddPhoto]:
    """Yield at most `count` of the files below a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for number, path in enumerate(random.Random(seed).sample(paths, min(count, len(paths)))):
        kind = path.suffix.lower() or "no ending"
        yield OddPhoto(kind, f"{number}-{path.name}", partial(shutil.copyfile, path))


def _judge(photo: OddPhoto, found: dict[str, Any], tally: Tally) -> None:
    name = f"{photo.name} ({photo.kind})"
    if fault := found.get("fault"):
        tally.fault(fault, f"{name}: {found['what']}")
        return
    error = found["error"]
    if error is None and (photo.reason or min(found["sides"]) < 1):
        tally.fault("unexplained", f"{name}: read, wanted {photo.reason!r}")
    if error is not None and (photo.reason == "" or (photo.reason or "") not in error):
        tally.fault("unexplained", f"{name}: {error}, wanted {photo.reason!r}")
    if error is not None and (not error.strip() or len(error) > _LONGEST or not error.isprintable()):
        tally.fault("unexplained", f"{name}: a reason that nobody can read: {error!r}")
    if (found["thumbnail"] is None) != (error is None):
        tally.fault("unexplained", f"{name}: {error}, but its thumbnail: {found['thumbnail']}")
    if found["header"] is None and _disagree(found):
        tally.fault("unexplained", f"{name}: {found['sides']}, but explore says {found['header_sides']}")
    if error is None and found["header"] is not None:
        tally.fault("unexplained", f"{name}: read, but explore says {found['header']}")
    if found["seconds"] > _SECONDS or found["mb"] > _MB:
        tally.fault("unexplained", f"{name}: took {found['seconds']:.0f} s and {found['mb']:.0f} MB")


def _disagree(found: dict[str, Any]) -> bool:
    sides = found["header_sides"]
    return min(sides) < 1 or (found["error"] is None and sides != found["sides"])


def _part(photos: list[OddPhoto], folder: Path) -> list[tuple[OddPhoto, dict[str, Any]]]:
    """Read photos one after the other; a process that dies or hangs is followed by another one."""
    folder.mkdir()
    done: list[tuple[OddPhoto, dict[str, Any]]] = []
    while len(done) < len(photos):
        left = photos[len(done) :]
        done += list(zip(left, _process(left, folder), strict=False))
    return done


def _process(photos: list[OddPhoto], folder: Path) -> list[dict[str, Any]]:
    """Return what a process found of the first photos, up to the one that ended it."""
    reader = subprocess.Popen(
        [sys.executable, "-m", "tests.torture.photos", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    assert reader.stderr is not None
    answers: Queue[str] = Queue()
    said: list[str] = []
    threads = [
        Thread(target=lambda: [answers.put(line) for line in chain(reader.stdout, [""])]),  # type: ignore[misc]
        Thread(target=lambda: said.extend(reader.stderr)),  # type: ignore[arg-type]
    ]
    for thread in threads:
        thread.start()
    found: list[dict[str, Any]] = []
    try:
        for photo in photos:
            path = folder / photo.name
            photo.make(path)
            reader.stdin.write(f"{path}\n")
            reader.stdin.flush()
            line = answers.get(timeout=_HANG)
            if not line:
                found.append(
                    {"fault": "tracebacks", "what": f"the process ended: {reader.wait()} {''.join(said)[-500:]}"}
                )
                break
            found.append(json.loads(line))
            _remove(path)
    except (Empty, BrokenPipeError) as error:
        hang = isinstance(error, Empty)
        found.append({"fault": "hangs" if hang else "tracebacks", "what": "".join(said)[-500:] or "no answer"})
    finally:
        reader.kill()
        for thread in threads:
            thread.join()
        reader.wait()
        for stream in (reader.stdin, reader.stdout, reader.stderr):
            with suppress(BrokenPipeError):
                stream.close()
    if said and "fault" not in found[-1]:
        found[-1] = {"fault": "unexplained", "what": f"this reached the terminal: {''.join(said)[-500:]}"}
    return found


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def _read(path: Path, folder: Path, before: int) -> dict[str, Any]:
    """Read a photo in every way that curate does; `before` are the bytes of this process when it had read none."""
    _peak(reset=True)
    start = time.process_time()
    # of its own, for a cache of hundreds of parts is slow
    cache = PhotoCache(folder / "cache", 10**8, 10**6)
    with noise_to(folder / "log.txt"), warnings.catch_warnings(action="ignore"):
        _, facts = store_photos([path], size=32, cache=cache, spare=folder)
        (header,) = read_headers([path], silent)
        thumbnail = make_thumbnail(path, 64)
    seconds = time.process_time() - start
    cache.clear()
    return {
        "error": facts[0].error,
        "sides": [facts[0].width, facts[0].height],
        "header": header.error,
        "header_sides": [header.width, header.height],
        "thumbnail": thumbnail.error,
        "seconds": seconds,
        "mb": (_peak() - before) / 10**6,
    }


def _peak(*, reset: bool = False) -> int:
    """Return the most memory that this process had, in bytes; or from now on."""
    if reset and os.access("/proc/self/clear_refs", os.W_OK):
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text() if Path("/proc/self/status").exists() else ""
    lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) * 1024 if lines else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (16 * 10**9,) * 2)
    Image.init()
    before = _peak(reset=True)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_read(Path(line.removesuffix("\n")), Path(sys.argv[1]), before)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main()

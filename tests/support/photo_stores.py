"""Photos to decode, and stores of them, in this process or in another one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from PIL import Image

from curation.cli import main
from tests.support.reporters import Listener
from tests.support.waiting import PATIENCE
from training.images import decode
from training.images.ingest import store_photos

SIZE = 16
EACH = SIZE * SIZE * 3
ROOT = Path(__file__).parents[2]
STORE = """
folder, cache, limit, spare, pause = sys.argv[1:6]
paths = sorted(Path(folder).iterdir())
cache = PhotoCache(Path(cache), int(limit), shard_bytes=10 * 768)
store, facts = store_photos(paths, size=16, cache=cache, spare=Path(spare),
                            reporter=Listener(print, lambda done, total: time.sleep(float(pause))))
store.save(Path(spare).parent / f"photos-{__import__('os').getpid()}.npz")
"""


def write_photos(folder, count, seed=0):
    """Write that many different small photos."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    paths = [folder / f"{number:03}.png" for number in range(count)]
    for path in paths:
        Image.fromarray(random.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(path)
    return paths


def expected(paths):
    return np.stack([decode(path.read_bytes(), SIZE)[0] for path in paths])


class Storing:
    """One `store_photos` and all that it said."""

    def __init__(self, paths, cache, spare=Path("/nowhere/spare"), size=SIZE):
        self.lines, self.steps = [], []
        self.store, self.facts = store_photos(
            paths,
            size=size,
            cache=cache,
            spare=spare,
            reporter=Listener(self.lines.append, lambda *at: self.steps.append(at)),
        )


def rows_of(store):
    return store[np.arange(len(store))]


def in_another_process(code, *arguments):
    """Start Python with what stores photos; `code` gets the arguments."""
    head = "import sys, time, resource\nfrom pathlib import Path\nfrom training.images.cache import PhotoCache\n"
    head += "from training.images.ingest import store_photos\nfrom tests.support.reporters import Listener\n"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", head + code, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process):
    out, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    return out


def cache_command(*arguments):
    result = CliRunner().invoke(main, ["cache", *map(str, arguments)])
    return result.exit_code, result.output

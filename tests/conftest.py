"""What several tests build on: a small demo marketplace and a finished run of it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.demo_data import write_demo
from curation.run.folder import RunFolder

# A database of the tests' own: the mongod is shared with whatever else of this user runs FiftyOne, which reads the
# name once, when the first test imports it.
os.environ["FIFTYONE_DATABASE_NAME"] = f"curate_test_{os.getpid()}"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory):
    """The photo cache of all tests; the user's own is neither used nor filled."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CURATE_CACHE_DIR", str(folder))
        patch.delenv("CURATE_CACHE_LIMIT", raising=False)
        yield folder


@pytest.fixture
def torch_home(tmp_path, monkeypatch) -> Iterator[Path]:
    """Torch's own cache, without anything in it; see :func:`tests.support.synthetic.put_weights`."""
    from training.networks import zoo as models

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    models._weights.cache_clear()
    yield tmp_path / "torch"
    models._weights.cache_clear()


@pytest.fixture
def without_weights(monkeypatch) -> Iterator[None]:
    """No package with weights is installed."""
    from training.networks import embedded, zoo

    def nowhere(package: embedded.Package) -> None:
        return None

    monkeypatch.setattr(embedded, "_folder", nowhere)
    zoo._weights.cache_clear()
    yield
    zoo._weights.cache_clear()


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Path:
    """A demo marketplace of 120 listings; tests must not change it."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    write_demo(folder, listings=120, seed=0)
    return folder


@pytest.fixture(scope="session")
def finished(demo, tmp_path_factory) -> RunFolder:
    """A finished run of the demo without networks; tests must not change it."""
    return find_in_demo(demo, tmp_path_factory.mktemp("runs") / "finished", preset="quick")


@pytest.fixture(scope="session")
def networked(demo, tmp_path_factory) -> RunFolder:
    """A finished run of the demo with a small network per fold; tests must not change it."""
    folder = tmp_path_factory.mktemp("runs") / "networked"
    return find_in_demo(demo, folder, model="squeezenet1_1", image_size=32, epochs=1, batch_size=32)


def find_in_demo(demo: Path, folder: Path, **train: Any) -> RunFolder:
    from curation.find import FindSettings, find
    from curation.listings import read_listings
    from training.settings import read_settings

    recipe, execution = read_settings({**train, "pretrained": False, "device": "cpu", "seed": 3})
    settings = FindSettings(folds=3, recipe=recipe, execution=execution)
    return find(read_listings(demo), settings, run_folder=folder, command=["curate", "find-issues", "demo"])


@pytest.fixture
def run(finished, tmp_path) -> RunFolder:
    """A copy of the finished run that a test may change."""
    shutil.copytree(finished.folder, tmp_path / "run")
    return RunFolder(tmp_path / "run")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data with known truth, which is not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("the shared evaluation data is not beside this checkout")
    return SHARED

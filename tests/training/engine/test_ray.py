"""A real cluster on this machine: a head, and two machines with a core each, as processes."""

import filecmp
import os
import socket
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import curation
from tests.support.engines import Squares
from tests.support.reporters import Listener
from training.engine import ray_tasks
from training.engine.cluster import connected, open_engine
from training.errors import InputError, MachineError
from training.settings import Execution, Recipe
from training.utils.progress import SILENT

pytest.importorskip("ray", reason="ray is not installed")
# Ray's own; none of these is ours to mend
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
#: Bytes of the store of each machine; it needs next to none.
STORE = 80 * 10**6


class Machines:
    """The cluster."""

    def __init__(self):
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.two = [self.add() for _ in range(2)]
        self.address = self.cluster.address

    def add(self, **environment):
        root = str(Path(curation.__file__).parents[1])
        return self.cluster.add_node(
            num_cpus=1, object_store_memory=STORE, env_vars={"PYTHONPATH": root, **environment}
        )

    def lose(self, machine):
        self.cluster.remove_node(machine, allow_graceful=False)

    @contextmanager
    def beside(self, **environment):
        """Let there be another machine while the block runs."""
        machine = self.add(**environment)
        try:
            yield
        finally:
            self.lose(machine)


@pytest.fixture(scope="module")
def machines():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")
        machines = Machines()
        yield machines
        machines.cluster.shutdown()


@pytest.fixture(autouse=True)
def short_parts(monkeypatch):
    monkeypatch.setattr(ray_tasks, "_SECONDS", 1.0)


def squares(machines, task, folder, on_step=lambda units: None):
    with open_engine("ray", machines.address, reporter=SILENT) as engine:
        pieces = list(engine.run(task, folder=folder, on_step=on_step, reporter=SILENT))
    return [int(piece["square"]) for piece in pieces]


def found(demo, folder, **options):
    """Find the issues of a demo, and return the run's folder."""
    return curation.find_issues(
        curation.read_listings(demo),
        run=folder / "run",
        cache=folder / "cache",
        folds=2,
        text=False,
        recipe=Recipe(image_size=64, precision="float32"),
        execution=Execution(preset="quick", device="cpu"),
        **options,
    ).folder


@pytest.fixture(scope="module")
def local(demo, tmp_path_factory):
    return found(demo, tmp_path_factory.mktemp("local"))


def assert_equal(one, other):
    for name in ("issues.csv", "listings.parquet", "training/features-0.npy"):
        assert filecmp.cmp(one / name, other / name, shallow=False), name


def test_a_run_is_the_same_to_the_last_bit_though_a_machine_is_lost(machines, demo, local, tmp_path, monkeypatch):
    monkeypatch.setattr("training.images.ingest._SECONDS", 0.1)
    monkeypatch.setattr("training.features.extract._SECONDS", 0.1)
    lost = []

    def lose_one(done, total):
        if not lost and done < total:
            lost.append(machines.two.pop())
            machines.lose(lost[0])

    run = found(demo, tmp_path, engine="ray", address=machines.address, reporter=Listener(progress=lose_one))
    machines.two.append(machines.add())
    assert len(lost) == 1
    assert_equal(run, local)
    assert not (run / "training" / "parts").exists()


def test_a_part_whose_process_is_killed_is_computed_again(machines, tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    task = Squares(range(6), seconds=1, kills=2, times=2, marks=marks)
    assert squares(machines, task, tmp_path) == [number**2 for number in range(6)]
    assert len(list(marks.iterdir())) == 2


def test_a_part_that_always_kills_its_process_ends_the_task(machines, tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    task = Squares(range(6), seconds=1, kills=2, times=100, marks=marks)
    with pytest.raises(MachineError, match="a part was lost 4 times: its process was killed"):
        squares(machines, task, tmp_path)
    assert len(list(marks.iterdir())) == 4


def test_an_error_of_a_part_arrives_as_what_it_is(machines, tmp_path):
    with pytest.raises(InputError, match="a number is refused: got 4") as caught:
        squares(machines, Squares(range(6), seconds=1, refused=4), tmp_path)
    assert "Traceback" in caught.value.__notes__[0]


def test_ctrl_c_ends_the_parts_and_leaves_nothing(machines, tmp_path):
    def interrupt(units):
        raise KeyboardInterrupt

    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        squares(machines, Squares([0, *[1] * 2000], seconds=1, pause=1), tmp_path, interrupt)
    assert not (tmp_path / "parts").exists()
    # the cores are free again, long before all of that is computed
    assert squares(machines, Squares([2, 3], seconds=1), tmp_path) == [4, 9]
    assert time.monotonic() - begin < 600


def test_an_interrupted_run_goes_on_with_what_was_decoded(machines, demo, local, tmp_path, monkeypatch):
    monkeypatch.setattr("training.images.ingest._SECONDS", 0.1)

    def interrupt(done, total):
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        found(demo, tmp_path, engine="ray", address=machines.address, reporter=Listener(progress=interrupt))
    listener = Listener()
    run = found(demo, tmp_path, reporter=listener)
    (said,) = (line for line in listener.lines if line.startswith("photos:"))
    assert int(said.split()[1]) >= 50
    assert_equal(run, local)


def test_a_task_for_which_no_machine_has_room_is_refused(machines, tmp_path):
    for needs, message in (({"gpus": 1}, "graphics cards .* got 0; wanted 1"), ({"cores": 2}, "got 1; wanted 2")):
        with pytest.raises(InputError, match=message):
            squares(machines, Squares(range(3), **needs), tmp_path)


def test_workers_do_not_give_way_to_other_programs(machines):
    with connected(machines.address) as ray:
        assert ray.get(ray.remote(lambda: os.nice(0)).remote()) == os.nice(0)


def refused(machines, message, **options):
    with (
        pytest.raises(InputError, match=message),
        open_engine("ray", machines.address, reporter=SILENT, **options),
    ):
        pass


#: Ray puts the folder of the driver before PYTHONPATH.
INSTALLED = """
import importlib.util, sys
from pathlib import Path
class Installed:
    def find_spec(self, name, path=None, target=None):
        if name in ("curation", "training"):
            {}
sys.meta_path.insert(0, Installed())
"""


def test_a_machine_without_curate_is_named(machines, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(INSTALLED.format("raise ModuleNotFoundError(name)"))
    with machines.beside(PYTHONPATH=str(tmp_path)):
        refused(machines, f"a machine of the cluster has no curate: got {socket.gethostname()}.*pip install")


def test_a_machine_with_another_version_is_named(machines, tmp_path):
    path = "Path(__file__).parent / name / '__init__.py'"
    (tmp_path / "sitecustomize.py").write_text(
        INSTALLED.format(f"return importlib.util.spec_from_file_location(name, {path})")
    )
    for name in ("curation", "training"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    with machines.beside(PYTHONPATH=str(tmp_path)):
        refused(machines, f"other versions: {socket.gethostname()}: got source of curate .*; wanted source of curate")


def test_files_that_a_machine_does_not_see_are_named(machines, tmp_path):
    refused(machines, "can't see .*/nowhere: got", read=[tmp_path / "nowhere"])


def test_nothing_is_said_on_standard_output(machines, tmp_path, capfd):
    squares(machines, Squares(range(3)), tmp_path)
    assert capfd.readouterr() == ("", "")


def test_an_address_without_a_cluster_is_refused_soon(monkeypatch):
    monkeypatch.setattr("training.engine.cluster._PATIENCE", 5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        deaf = server.getsockname()[1]
        for address, message in (
            (f"127.0.0.1:{deaf}", "no cluster of Ray"),
            ("127.0.0.1:9", "there is no cluster at 127.0.0.1:9: got Connection refused. Start one"),
            ("no.such.host.invalid:6379", "there is no cluster at no.such.host.invalid:6379"),
            ("ray://127.0.0.1:10001", "wanted HOST:PORT, or auto on a machine of the cluster"),
            ("head", "this is no address of a cluster: got head"),
        ):
            with pytest.raises(InputError, match=message), connected(address):
                pass

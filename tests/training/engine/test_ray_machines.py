"""A real cluster of machines that share nothing but folders and a network."""

import filecmp
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import curation
from tests.support.machines import Machine, network, why_not

pytest.importorskip("ray", reason="ray is not installed")

ROOT = Path(curation.__file__).parents[1]
#: A run in parts of a second or so, which says how far it is.
RUN = """
import sys
import curation
from tests.support.reporters import Listener
from training.engine import ray_tasks
from training.features import extract
from training.images import ingest
from training.settings import Execution, Recipe
demo, folder, address = sys.argv[1:]
ray_tasks._SECONDS, ingest._SECONDS, extract._SECONDS = 1.0, 0.1, 0.1
curation.find_issues(
    curation.read_listings(demo),
    run=folder + "/run",
    cache=folder + "/cache",
    folds=2,
    text=False,
    recipe=Recipe(image_size=64, precision="float32"),
    execution=Execution(preset="quick", device="cpu"),
    reporter=Listener(progress=lambda done, total: print(done, total, flush=True)),
    **({"engine": "ray", "address": address} if address else {}),
)
print("finished", flush=True)
"""
#: The head gives up a machine that does not answer for about half a minute.
PATIENCE = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "2000",
    "RAY_health_check_timeout_ms": "5000",
    "RAY_health_check_failure_threshold": "4",
    "RAY_grpc_client_keepalive_time_ms": "10000",
    "RAY_grpc_client_keepalive_timeout_ms": "10000",
}
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "ab" * 32}
SETTINGS = {"PYTHONPATH": str(ROOT), "RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0", **PATIENCE}


@dataclass
class Machines:
    """A head without cores, and two machines with one each."""

    head: Machine
    two: list[Machine]

    def start(self, code, *arguments, **settings):
        """Start Python on the head; its last argument is the cluster's address."""
        command = [sys.executable, "-c", code, *map(str, arguments), f"{self.head.address}:6379"]
        return self.head.start(*command, **SETTINGS, **settings)


def start_ray(machine, *options):
    ray = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start"]
    at = f"--node-ip-address={machine.address}"
    machine.run(*ray, at, "--object-store-memory=80000000", "--disable-usage-stats", *options, **SETTINGS, **TOKEN)


@pytest.fixture(scope="module")
def machines():
    if why := why_not():
        pytest.skip(f"there can be no machines here: {why}")
    with network() as net:
        machines = Machines(net.machine("head"), [net.machine("first"), net.machine("second")])
        start_ray(machines.head, "--head", "--port=6379", "--num-cpus=0", "--include-dashboard=false")
        for machine in machines.two:
            start_ray(machine, f"--address={machines.head.address}:6379", "--num-cpus=1")
        yield machines


def test_a_run_is_the_same_to_the_last_bit_though_the_network_of_a_machine_is_cut(machines, demo, tmp_path):
    for name in ("alone", "many"):
        (tmp_path / name).mkdir()
    alone = [sys.executable, "-c", RUN, str(demo), str(tmp_path / "alone"), ""]
    subprocess.run(alone, cwd=ROOT, check=True, capture_output=True)
    run = machines.start(RUN, demo, tmp_path / "many", **TOKEN)
    said = [run.stdout.readline()]
    machines.two.pop().cut_off()
    said += run.stdout.readlines()
    assert run.wait() == 0, "".join(said)
    run.stdout.close()
    done, total = map(int, said[0].split())
    assert done < total
    assert said[-1] == "finished\n"
    for name in ("issues.csv", "listings.parquet", "training/features-0.npy"):
        assert filecmp.cmp(tmp_path / "alone/run" / name, tmp_path / "many/run" / name, shallow=False), name


@pytest.mark.parametrize("token", [{}, TOKEN | {"RAY_AUTH_TOKEN": "cd" * 32}])
def test_a_cluster_with_a_token_says_that_it_wants_one(machines, token):
    code = "import sys; from training.engine.cluster import connected; connected(sys.argv[1]).__enter__()"
    said = machines.start(code, **token).communicate()[0]
    assert "the cluster at 10.213.5.1:6379 does not let this machine in: got no token, or another one" in said

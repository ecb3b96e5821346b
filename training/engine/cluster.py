"""The connection to a Ray cluster, and whether its machines can do the work: same versions, same files."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from training.engine import probe
from training.engine.contract import LOCAL, Engine
from training.engine.ray_tasks import Ray
from training.errors import InputError, check_choice, some
from training.utils.progress import Reporter

__all__ = ["ENGINES", "RAY", "check_machines", "connected", "open_engine"]

LOCALLY = "local"
RAY = "ray"
ENGINES = (LOCALLY, RAY)

#: What may change results by its version.
_PACKAGES = ["numpy", "onnxruntime", "pillow", "rapidocr-onnxruntime", "scikit-learn", "scipy", "torch", "torchvision"]
_CODE = ["curation", "training"]
#: Bytes of Ray's store of objects on this machine, if it is started here: results are files.
_STORE = 100 * 10**6
#: Seconds until a cluster must have answered, and until a machine must have started its first process.
_PATIENCE, _FIRST_ANSWER = 20.0, 120.0
_INSTALL = 'pip install "curate-listings[ray]"'
_START = "Start one with: RAY_worker_niceness=0 ray start --head"
#: Ends with 0 if a cluster answers. In a process of its own, as Ray would end this one after two minutes.
_ANSWERS = "import sys; from ray._raylet import GcsClient; GcsClient(address=sys.argv[1])"


@contextmanager
def open_engine(
    name: str, address: str | None, *, written: Sequence[Path] = (), read: Sequence[Path] = (), reporter: Reporter
) -> Iterator[Engine]:
    """Open an engine while the block runs.

    Parameters
    ----------
    name : str
        ``local`` or ``ray``.
    address : str, optional
        Of the cluster: ``HOST:PORT``, or ``auto`` for the one that this machine belongs to; by default
        ``$RAY_ADDRESS``, or else Ray is started on this machine, with all of its cores, and ended afterwards.
    written, read : sequence of Path
        Folders that all machines must be able to write, and files and folders that they must be able to read.
    reporter : Reporter
        Gets what may make the work slow or different.

    Raises
    ------
    InputError
        If there is no such engine, Ray is not installed, nothing answers at the address, or a machine of the cluster
        can't do the work.
    """
    check_choice("engine", "engine", name, ENGINES)
    if name == LOCALLY:
        if address is not None:
            raise InputError(
                "the address of a cluster has no effect without it",
                got=address,
                fix='Choose `engine="ray"`, or leave the address out.',
                parameter="address",
            )
        yield LOCAL
        return
    with connected(address) as ray:
        check_machines(ray, written=written, read=read, reporter=reporter)
        yield Ray(ray)


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Connect to a cluster while the block runs, or start one on this machine; a connection that there is, is used.

    Raises
    ------
    InputError
        If Ray is not installed, or nothing answers.
    """
    if importlib.util.find_spec("ray") is None:
        raise InputError("Ray is not installed", fix=f"Install it: {_INSTALL}", parameter="engine")
    ray = importlib.import_module("ray")
    if ray.is_initialized():
        yield ray
        return
    address = address or os.environ.get("RAY_ADDRESS")
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address:
        options |= {"address": _answering(address)}
    else:
        # what it starts here has the same right to the processor as the rest
        own = {"_system_config": {"worker_niceness": 0}, "object_store_memory": _STORE, "include_dashboard": False}
        options |= {"address": "local", **own}
    try:
        ray.init(**options)
    except (Exception, SystemExit) as error:
        # Ray's own words are about its own options
        why = "Ray does not run on this machine" if address == "auto" else _first_line(error).replace("`", "")
        raise _no_cluster(address or "this machine", why) from error
    _say_nothing()
    try:
        yield ray
    finally:
        ray.shutdown()


def _say_nothing() -> None:
    """Keep what Ray says of lost machines off standard output, where the result of a command belongs."""
    worker: Any = importlib.import_module("ray._private.worker")
    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = lambda *_, **__: None


def check_machines(ray: Any, *, written: Sequence[Path], read: Sequence[Path], reporter: Reporter) -> None:
    """Refuse a cluster with a machine that lacks curate, has other versions, or does not see the files.

    Parameters
    ----------
    ray : module
        Connected.
    written, read, reporter
        As for :func:`open_engine`.

    Raises
    ------
    InputError
        If so; it names the machine.
    """
    working = [
        node for node in ray.nodes() if node["Alive"] and (node["Resources"].get("CPU") or node["Resources"].get("GPU"))
    ]
    if not working:
        raise _no_machine()
    tokens = {str(folder.absolute() / f".curate-{uuid.uuid4().hex}"): uuid.uuid4().hex for folder in written}
    try:
        for path, content in tokens.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(content)
        asked = _PACKAGES, _CODE, [str(path.absolute()) for path in read], tokens
        here = probe.look_around(*asked)
        found = _asked(ray, working, asked)
    finally:
        for path in tokens:
            Path(path).unlink(missing_ok=True)
    if not found:
        raise _no_machine()
    for there in found:
        _require_able(here, there)
    if others := sorted({there["processor"] for there in found} - {here["processor"]}):
        reporter.say(
            f"the cluster has other processors than this machine ({some(others)}): last digits may differ from those "
            "computed here"
        )
    if slow := sorted({there["host"] for there in found if there["niceness"] > here["niceness"]}):
        reporter.say(
            f"Ray's processes give way to all others on {some(slow)}: start Ray there with RAY_worker_niceness=0"
        )


def _no_machine() -> InputError:
    return InputError(
        "the cluster has no machine with a core to use",
        fix="Start one with: RAY_worker_niceness=0 ray start --address=HOST:PORT",
        parameter="address",
    )


def _asked(ray: Any, nodes: Sequence[Any], asked: tuple[Any, ...]) -> list[Any]:
    """Return what the machines have, of which those that were lost just now are left out."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # by value: machines without curate must be able to say so
    ray.cloudpickle.register_pickle_by_value(probe)
    try:
        look = ray.remote(probe.look_around)
        on = [NodeAffinitySchedulingStrategy(node["NodeID"], soft=False) for node in nodes]
        answers = [look.options(num_cpus=0, scheduling_strategy=each).remote(*asked) for each in on]
    finally:
        ray.cloudpickle.unregister_pickle_by_value(probe)
    there = []
    for answer in answers:
        # the cluster notices after a while that a machine is lost
        with suppress(ray.exceptions.TaskUnschedulableError, ray.exceptions.WorkerCrashedError, *_lost(ray)):
            there.append(ray.get(answer, timeout=_FIRST_ANSWER))
    return there


def _lost(ray: Any) -> list[type[Exception]]:
    errors = ray.exceptions
    return [errors.NodeDiedError, errors.GetTimeoutError, errors.ObjectLostError]


def _require_able(here: Any, there: Any) -> None:
    """Refuse a machine that can't do the work."""
    host, versions = there["host"], there["versions"]
    if versions["source of curate"] == "none":
        raise InputError(
            "a machine of the cluster has no curate", got=host, fix=f"Install it there: {_INSTALL}", parameter="engine"
        )
    different = [name for name in here["versions"] if versions[name] != here["versions"][name]]
    if different:
        raise InputError(
            f"a machine of the cluster has other versions: {host}",
            got=some(f"{name} {versions[name]}" for name in different),
            wanted=some(f"{name} {here['versions'][name]}" for name in different),
            fix="Install the same there and here.",
            parameter="engine",
        )
    for what, paths in (("see", there["unseen"]), ("write to", there["unwritable"])):
        if paths:
            raise InputError(
                f"a machine of the cluster can't {what} {some(paths)}",
                got=host,
                wanted="listings, `run` and `cache` in folders that all machines share, at the same place",
                fix="Move them there, or mount them.",
                parameter="engine",
            )


def _answering(address: str) -> str:
    """Return the address of a cluster that answers."""
    if "://" in address:
        raise InputError(
            "this address of a cluster can't be used",
            got=address,
            wanted="HOST:PORT, or auto on a machine of the cluster",
            fix="Run the command on a machine of the cluster, e.g. its head.",
            parameter="address",
        )
    if address == "auto":
        return address
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise InputError(
            "this is no address of a cluster", got=address, wanted="HOST:PORT, or auto", parameter="address"
        )
    try:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, getattr(error, "strerror", None) or str(error)) from error
    try:
        asked = [sys.executable, "-c", _ANSWERS, address]
        subprocess.run(asked, capture_output=True, check=True, timeout=3 * _PATIENCE)  # noqa: S603  # nosec B603
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        if b"authentication token" in (error.stderr or b"").lower():
            raise _no_token(address) from error
        raise _no_cluster(address, "something answers there, but no cluster of Ray") from error
    return address


def _no_cluster(address: str, why: str) -> InputError:
    return InputError(f"there is no cluster at {address}", got=why, fix=f"{_START}.", parameter="address")


def _no_token(address: str) -> InputError:
    return InputError(
        f"the cluster at {address} does not let this machine in",
        got="no token, or another one",
        wanted="the cluster's: that of `ray get-auth-token` on its head",
        fix="Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to that token, here and on all machines of the cluster.",
        parameter="address",
    )


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)

"""Commands in forks of one process that has everything imported: a case costs a fork instead of a start of Python.

:func:`in_parallel` starts that process, which forks once for each job; a job forks once for each command
(:func:`command`), in a session of its own, so that it can be killed with all that it started.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import pickle
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.torture.tally import Tally

ROOT = Path(__file__).resolve().parents[2]
#: Seconds after which a command counts as hanging: far beyond what any takes on a busy machine.
PATIENCE = 240

#: What the shim does with the operations of a process; see shim.c.
RECORD, FAIL_ONCE, DIE_AFTER, FULL_FROM, STOP_AFTER = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class Fault:
    """What the shim is to do: `how`, at the operation `number` (from 1) below `folder`, with the `error` number.

    The log gets the data, too, `with_data`; files that are opened for reading are operations, too, `with_reads`.
    """

    folder: Path
    how: int
    number: int = 0
    error: int = 0
    log: Path | None = None
    with_data: bool = False
    with_reads: bool = False


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (below 0: the signal), what it printed, its seconds, whether it hung."""

    code: int
    output: str
    seconds: float
    hung: bool = False

    @property
    def traceback(self) -> bool:
        return "Traceback (most recent call last)" in self.output

    @property
    def last(self) -> str:
        """The last line, which says what went wrong."""
        return (self.output.strip().splitlines() or ["nothing was printed"])[-1][:300]


def all_tried(kind: str, count: int, seed: int, jobs: int, names: Iterable[str]) -> Tally:
    """Try `count` cases of a kind in parallel; one that was left out without a reason is a fault."""
    tally = Tally(kind).add(in_parallel(f"tests.torture.{kind}:cases", count, seed, jobs, names))
    if tally.tried < count and not tally.skipped:
        tally.fault("unexplained", f"only {tally.tried} of {count} were tried")
    return tally


def in_parallel(target: str, count: int, seed: int, jobs: int, names: Iterable[str] = ()) -> list[Any]:
    """Call ``module:function(numbers, seed, folder, names)`` in `jobs` forks of a preloaded process.

    Parameters
    ----------
    target : str
        The function. It is called with a share of the numbers 0 to `count` - 1, the seed, and a folder of its own.
        ``module:function_template(folder)``, if there is one, is called before, once.
    count, seed, jobs : int
        As for each kind's ``run``.
    names : iterable of str
        What else the function gets, e.g. names of scenarios.
    """
    with tempfile.TemporaryDirectory(prefix="curate-torture-") as folder:
        shim = build_shim(Path(folder))
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "CURATE_REVIEWER": "ana",
            "CURATE_CACHE_DIR": str(Path(folder) / "cache"),
            "PYTHONWARNINGS": "default",
            **({"LD_PRELOAD": str(shim), "TORTURE_SHIM": str(shim)} if shim else {}),
        }
        arguments = [target, str(count), str(seed), str(jobs), folder, *names]
        subprocess.run([sys.executable, "-m", "tests.torture._preloaded", *arguments], cwd=ROOT, env=environment)
        parts = [Path(folder) / f"{job}.pickle" for job in range(min(jobs, count))]
        return [pickle.loads(part.read_bytes()) for part in parts if part.exists()]


def build_shim(folder: Path) -> Path | None:
    """Compile shim.c; None where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or sys.platform != "linux":
        return None
    shim = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"], check=True)
    return shim


def has_shim() -> bool:
    """Return whether this process can inject faults."""
    return "TORTURE_SHIM" in os.environ


def in_fork(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function returns in a fork of its own, as this process must stay without threads."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)
            try:
                content = pickle.dumps((True, function(*arguments)))
            except Exception:
                content = pickle.dumps((False, traceback.format_exc()))
            with os.fdopen(writer, "wb") as stream:
                stream.write(content)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        worked, value = pickle.loads(stream.read())
    os.waitpid(pid, 0)
    if not worked:
        raise RuntimeError(value)
    return value


def command(
    work: Sequence[str] | Callable[[], None],
    folder: Path,
    *,
    kill_after: float | None = None,
    fault: Fault | None = None,
    environment: dict[str, str] | None = None,
) -> Ended:
    """Run a command of curate (its words), or a function, in a fork, until it ends.

    Parameters
    ----------
    work : sequence of str, or function
        What to run.
    folder : Path
        Its current folder.
    kill_after : float, optional
        Seconds until its process group gets SIGKILL.
    fault : Fault, optional
        What the shim does in it.
    environment : dict, optional
        Changes of the environment.
    """
    running = start(work, folder, fault=fault, environment=environment)
    if kill_after is None:
        return running.finish()
    running.wait(kill_after)
    return running.finish(0)


def start(
    work: Sequence[str] | Callable[[], None],
    folder: Path,
    *,
    fault: Fault | None = None,
    environment: dict[str, str] | None = None,
) -> Running:
    """Start a command in a fork; the parameters are those of :func:`command`."""
    sys.stdout.flush()
    sys.stderr.flush()
    output = tempfile.TemporaryFile()  # noqa: SIM115 - finish() closes it
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _work(work, folder, output.fileno(), fault, environment or {})
    return Running(pid, output, began)


@dataclass(frozen=True)
class Running:
    """A command in a fork: its process, the file that it prints to, and when it began."""

    pid: int
    output: IO[bytes]
    began: float

    def wait(self, seconds: float) -> bool:
        """Wait for it to end; return whether it has."""
        descriptor = os.pidfd_open(self.pid)
        try:
            return bool(select.select([descriptor], [], [], seconds)[0])
        finally:
            os.close(descriptor)

    def wait_for_stop(self, seconds: float = PATIENCE) -> bool:
        """Wait until it is stopped (by the shim), or has ended; return whether it is stopped."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT | os.WNOHANG)
            if found is not None:
                return found.si_code == os.CLD_STOPPED
            time.sleep(0.005)
        return False

    def printed(self) -> str:
        """Return what it has printed so far."""
        size = os.fstat(self.output.fileno()).st_size
        # its own place in the file must stay: the fork writes there
        return os.pread(self.output.fileno(), size, 0).decode(errors="replace")

    def go_on(self) -> None:
        """Let it go on after a stop."""
        os.kill(self.pid, signal.SIGCONT)

    def finish(self, seconds: float = PATIENCE) -> Ended:
        """Wait for it to end, for so many seconds; kill it, with all that it started, and say how it ended."""
        hung = not self.wait(seconds) and seconds > 0
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        took = time.monotonic() - self.began
        text = self.printed()
        self.output.close()
        return Ended(os.waitstatus_to_exitcode(status), text, took, hung)


def _work(
    work: Sequence[str] | Callable[[], None],
    folder: Path,
    output: int,
    fault: Fault | None,
    environment: dict[str, str],
) -> None:
    code = 1
    try:
        os.setsid()
        os.chdir(folder)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.update(environment)
        if fault is not None:
            _arm(fault)
        if callable(work):
            work()
            code = 0
        else:
            from curation.cli import main

            sys.argv = ["curate", *work]
            main(list(work), prog_name="curate")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _arm(fault: Fault) -> None:
    shim = ctypes.CDLL(os.environ["TORTURE_SHIM"])
    log = -1
    if fault.log is not None:
        log = os.open(fault.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    place = os.fsencode(fault.folder)
    shim.shim_arm(
        place, fault.how, ctypes.c_long(fault.number), fault.error, log, int(fault.with_data), int(fault.with_reads)
    )


def _preload() -> None:
    """Import what commands import when they are used; a network has a snapshot after each epoch, not each minute."""
    names = (
        "curation.cli", "curation.api.run", "curation.api.runs", "curation.api.cache", "curation.find",
        "curation.fixes", "curation.report", "curation.comparison.compare",
        "curation.models.train", "curation.models.tune", "curation.review.page.write", "curation.evidence.out_of_fold",
        "training.crossval.workers", "torch.utils.tensorboard", "pyarrow.parquet", "pandas", "cleanlab",
        "sklearn.linear_model",
    )  # fmt: skip
    for name in names:
        importlib.import_module(name)
    importlib.import_module("training.fit.state")._EVERY = 0.0


def main() -> None:
    target, count, seed, jobs, folder, *names = sys.argv[1:]
    module, name = target.split(":")
    _preload()
    work = importlib.import_module(module)
    prepare = getattr(work, f"{name}_template", None)
    if prepare is not None:
        prepare(Path(folder))
    pids = []
    for job in range(min(int(jobs), int(count))):
        pid = os.fork()
        if pid == 0:
            try:
                place = Path(folder) / f"job-{job}"
                place.mkdir()
                result = getattr(work, name)(range(int(count))[job :: int(jobs)], int(seed), place, names)
                (Path(folder) / f"{job}.pickle").write_bytes(pickle.dumps(result))
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()

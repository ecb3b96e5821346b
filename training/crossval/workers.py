"""Running jobs one after another, or side by side in processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from types import ModuleType

import numpy as np
import torch

from training.crossval.jobs import Data, Done, Job
from training.crossval.run_job import run_job
from training.engine.contract import LOCAL, Engine, Piece, Steps
from training.errors import MachineError
from training.fit.throughput import Arrangement
from training.settings import Recipe
from training.utils.devices import Device, each_on_one_core, threads
from training.utils.progress import SILENT, Progress, Reporter, counted

__all__ = ["run_jobs"]


def run_jobs(
    jobs: Sequence[Job],
    data: Data,
    recipe: Recipe,
    arrangement: Arrangement,
    *,
    what: str = "training",
    engine: Engine = LOCAL,
    reporter: Reporter = SILENT,
) -> list[Done]:
    """Run all jobs, as many at a time as arranged.

    Parameters
    ----------
    jobs : sequence of Job
    data : Data
        The input that they share.
    recipe : Recipe
        How they train.
    arrangement : Arrangement
        How many at a time. Each has the same number of threads, whatever runs beside it, so that an interrupted run,
        or one with another number of workers, computes the same.
    what : str
        Title of the progress bar.
    engine : Engine
        Where they run: in this process and those that it starts, or on a cluster, as many at a time as it has room for.
    reporter : Reporter
        Shows the progress, and each message once.

    Returns
    -------
    list of Done
        In the order of `jobs`.

    Raises
    ------
    MachineError
        If a process is killed.
    """
    finished: dict[int, Done] = {}
    shown: set[str] = set()
    with reporter.bar(what) as progress:
        work = _Work(jobs, data, recipe, arrangement, progress)
        if engine is not LOCAL:
            ended = work.on_cluster(engine, reporter)
        elif not recipe.has_network:
            ended = work.heads()
        elif arrangement.side_by_side == 1:
            ended = work.one_after_another()
        else:
            ended = work.side_by_side()
        # closed, so that the processes end however this block ends
        with closing(ended):
            for place, done in ended:
                finished[place] = done
                for line in (*done.warnings, *([f"{jobs[place].name} is done already"] if done.resumed else [])):
                    if line not in shown:
                        shown.add(line)
                        reporter.say(line)
    return [finished[place] for place in range(len(jobs))]


@dataclass(frozen=True)
class _Work:
    """The ways to run jobs; each yields the place and the result of a job as it ends."""

    jobs: Sequence[Job]
    data: Data
    recipe: Recipe
    arrangement: Arrangement
    progress: Progress

    @property
    def steps(self) -> list[int]:
        """The steps of each job."""
        return [job.steps(self.recipe) for job in self.jobs]

    def on_cluster(self, engine: Engine, reporter: Reporter) -> Generator[tuple[int, Done], None, None]:
        """Run jobs on other machines, and read their checkpoints."""
        on_step = counted(self.progress, len(self.jobs))
        task = _Training(self.jobs, self.data, self.recipe, self.arrangement)
        folder = self.jobs[0].folder.parent
        for place, piece in enumerate(engine.run(task, folder=folder, on_step=on_step, reporter=reporter)):
            done = run_job(self.jobs[place], self.data, self.recipe, self.arrangement.device)
            yield place, replace(done, warnings=tuple(piece["warnings"].tolist()), resumed=bool(piece["resumed"]))

    def heads(self) -> Generator[tuple[int, Done], None, None]:
        """Run jobs without a network in threads, as they are short."""
        where = self.arrangement.device
        ended = each_on_one_core(
            lambda job: run_job(job, self.data, self.recipe, where), self.jobs, device=where.device
        )
        for place, done in enumerate(ended):
            yield place, done
            self.progress(place + 1, len(self.jobs))

    def one_after_another(self) -> Generator[tuple[int, Done], None, None]:
        total, before = sum(self.steps), 0
        for place, job in enumerate(self.jobs):
            on_step = lambda step, before=before: self.progress(before + step, total)  # noqa: E731
            with threads(self.arrangement.threads):
                done = run_job(job, self.data, self.recipe, self.arrangement.device, on_step)
            yield place, done
            before += self.steps[place]

    def side_by_side(self) -> Generator[tuple[int, Done], None, None]:
        counts, total = [0] * len(self.jobs), sum(self.steps)
        width = self.arrangement.side_by_side
        for first in range(0, len(self.jobs), width):
            places = range(first, min(first + width, len(self.jobs)))
            workers = {}
            try:
                for place in places:
                    worker = _Worker(self.jobs[place], self.data, self.recipe, self.arrangement)
                    workers[worker.results] = place, worker
                while workers:
                    for ready in wait(list(workers)):
                        place, worker = workers[ready]  # type: ignore[index]
                        answer = worker.receive()
                        if isinstance(answer, Done):
                            del workers[ready]  # type: ignore[arg-type]
                            yield place, answer
                        else:
                            counts[place] = answer
                            self.progress(sum(counts), total)
            finally:
                # unfinished ones resume from their snapshots
                for _, worker in workers.values():
                    worker.end()


@dataclass(frozen=True)
class _Training:
    """The task of running jobs, which leave their results in checkpoints."""

    jobs: Sequence[Job]
    data: Data
    recipe: Recipe
    arrangement: Arrangement
    #: each job is a part
    seconds: float = 60.0

    @property
    def count(self) -> int:
        """Number of jobs."""
        return len(self.jobs)

    @property
    def cores(self) -> int:
        """As many as each network has threads."""
        return self.arrangement.threads if self.recipe.has_network and not self.gpus else 1

    @property
    def gpus(self) -> int:
        """One, if there are any to compute on."""
        return int(self.arrangement.device.is_cuda)

    def part(self, units: range) -> _Training:
        """Return the task of some jobs; other processes have other current folders."""
        jobs = [replace(job, folder=job.folder.absolute()) for job in self.jobs[units.start : units.stop]]
        features = self.data.features and self.data.features.absolute()
        return replace(self, jobs=jobs, data=replace(self.data, features=features))

    def __call__(self, on_step: Steps, reporter: Reporter) -> Iterator[Piece]:
        """Run the jobs."""
        for job in self.jobs:
            with threads(self.arrangement.threads if self.recipe.has_network else 1):
                done = run_job(job, self.data, self.recipe, self.arrangement.device)
            yield {"warnings": np.array(done.warnings, dtype=np.str_), "resumed": np.array(done.resumed)}
            on_step(1)


class _Worker:
    """A process that runs one job, and sends the number of each step and then the result."""

    def __init__(self, job: Job, data: Data, recipe: Recipe, arrangement: Arrangement) -> None:
        # a fork of a process with threads may hang; the fork server has none, and imports slow modules only once
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["training.crossval.workers", "torch.utils.tensorboard"])
        self.results, sender = context.Pipe(duplex=False)
        arguments = job, data, recipe, arrangement.device, arrangement.threads, sender
        self._process = context.Process(target=_work, args=arguments, daemon=True)
        with _nothing_as_main():
            self._process.start()
        # only the worker holds the other end: when it is killed, the pipe ends
        sender.close()

    def receive(self) -> int | Done:
        """Return the next step or the result; raise the error that the job raised."""
        try:
            answer: int | Done | Exception = self.results.recv()
        except EOFError:
            raise MachineError(
                "a training process was killed, perhaps because memory ran out; the finished models are kept: "
                "start again as before to continue, or choose a smaller `batch_size`"
            ) from None
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Done):
            self._process.join()
            self.results.close()
        return answer

    def end(self) -> None:
        """End the process without waiting for its job."""
        self._process.terminate()
        self.results.close()


@contextmanager
def _nothing_as_main() -> Iterator[None]:
    """Hide the user's script: a worker needs nothing of it, and would run it again where it has no `__main__` guard."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _work(job: Job, data: Data, recipe: Recipe, device: Device, number: int, results: Connection) -> None:
    """Run a job in this process."""
    # Ctrl-C reaches the whole group; the parent ends its workers itself
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(number)
    try:
        results.send(run_job(job, data, recipe, device, results.send))
    except Exception as error:
        # a traceback does not travel to another process
        error.add_note(traceback.format_exc())
        results.send(error)


def _end_with_parent() -> None:
    """End this process when its parent is killed: it must not write into a run that another process may resume."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)

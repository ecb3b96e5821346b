"""Jobs one after another, or side by side in processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for
from multiprocessing.sharedctypes import SynchronizedArray
from typing import Any

import torch

from training.crossval.jobs import Data, Done, Job
from training.crossval.run_job import run_job
from training.errors import CurateError
from training.fit.throughput import Arrangement
from training.settings import Recipe
from training.utils.devices import Device, each_on_one_core
from training.utils.progress import Progress, silent

__all__ = ["run_jobs"]

#: Seconds between two looks at how far the processes are.
_LOOK = 0.2

_shared: dict[str, Any] = {}


def run_jobs(
    jobs: Sequence[Job],
    data: Data,
    recipe: Recipe,
    arrangement: Arrangement,
    *,
    progress: Progress = silent,
    say: Callable[[str], None] = lambda line: None,
) -> list[Done]:
    """Run all jobs as arranged.

    Parameters
    ----------
    jobs : sequence of Job
    data, settings
        What they read, how they train.
    arrangement : Arrangement
        How many at a time. The threads of each follow from its place alone, so a run that was interrupted computes
        the same as one that was not.
    progress : callable
        Called with (steps done, steps in all).
    say : callable
        Gets what a person should know, each line once.

    Returns
    -------
    list of Done
        In the order of `jobs`.
    """
    work = _Work(jobs, data, recipe, arrangement, progress)
    if not recipe.epochs_for(len(jobs[0].rows)):
        ended = work.heads()
    elif arrangement.side_by_side == 1:
        ended = work.one_after_another()
    else:
        ended = work.side_by_side()
    finished: dict[int, Done] = {}
    told: set[str] = set()
    for place, done in ended:
        finished[place] = done
        for line in (*done.warnings, *([f"{jobs[place].name} is done already"] if done.known else [])):
            if line not in told:
                told.add(line)
                say(line)
    return [finished[place] for place in range(len(jobs))]


@dataclass(frozen=True)
class _Work:
    """The ways to run jobs; each yields the place of a job and what it came to, as jobs end."""

    jobs: Sequence[Job]
    data: Data
    recipe: Recipe
    arrangement: Arrangement
    progress: Progress

    @property
    def steps(self) -> list[int]:
        """The steps of each job."""
        return [job.steps(self.recipe) for job in self.jobs]

    def heads(self) -> Iterator[tuple[int, Done]]:
        """Run jobs without a network: they are short, and threads are enough."""
        where = self.arrangement.device
        ended = each_on_one_core(
            lambda job: run_job(job, self.data, self.recipe, where), self.jobs, device=where.device
        )
        for place, done in enumerate(ended):
            yield place, done
            self.progress(place + 1, len(self.jobs))

    def one_after_another(self) -> Iterator[tuple[int, Done]]:
        total, before = sum(self.steps), 0
        for place, job in enumerate(self.jobs):
            on_step = lambda step, before=before: self.progress(before + step, total)  # noqa: E731
            yield place, run_job(job, self.data, self.recipe, self.arrangement.device, on_step)
            before += self.steps[place]

    def side_by_side(self) -> Iterator[tuple[int, Done]]:
        # a fork of a process with threads may hang; the fork server has none, and imports torch once for all
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["training.crossval.workers"])
        counts, total = context.Array("q", len(self.jobs)), sum(self.steps)
        width = self.arrangement.side_by_side
        pool = ProcessPoolExecutor(width, context, _start, (self.data, self.recipe, self.arrangement.device, counts))
        try:
            for first in range(0, len(self.jobs), width):
                places = range(first, min(first + width, len(self.jobs)))
                threads = self.arrangement.threads(len(places))
                waiting = {pool.submit(_work, place, self.jobs[place], threads): place for place in places}
                while waiting:
                    ended, _ = wait(waiting, timeout=_LOOK, return_when=FIRST_COMPLETED)
                    self.progress(sum(counts[:]), total)
                    for future in ended:
                        yield waiting.pop(future), future.result()
        except BrokenProcessPool as error:
            raise CurateError(
                "a training process was killed, perhaps because memory ran out; the finished models are kept: "
                "start again as before to continue, or choose a smaller `batch_size`"
            ) from error
        finally:
            _end(pool)


def _end(pool: ProcessPoolExecutor) -> None:
    """End the pool without waiting for what it is at: snapshots keep that."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()


def _start(data: Data, recipe: Recipe, device: Device, counts: SynchronizedArray[int]) -> None:
    """Prepare a worker."""
    # Ctrl-C reaches the whole group; the parent ends its workers itself
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _shared.update(data=data, recipe=recipe, device=device, counts=counts)


def _end_with_parent() -> None:
    """End this process when its parent is killed: it must not go on writing into a run that another may continue."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _work(place: int, job: Job, threads: int) -> Done:
    torch.set_num_threads(threads)
    counts = _shared["counts"]

    def on_step(step: int) -> None:
        counts[place] = step

    return run_job(job, _shared["data"], _shared["settings"], _shared["device"], on_step)

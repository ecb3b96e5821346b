"""The device that a model runs on, with its precision and memory layout: the only module that knows about hardware."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from training.errors import InputError
from training.utils.parallel import map_ahead

__all__ = ["Device", "bfloat16_may_be_fast", "each_on_one_core", "find_device", "threads_for"]


@dataclass(frozen=True)
class Device:
    """A torch device, its precision and its memory layout; which are fastest is measured (training/fit/throughput.py).

    Attributes
    ----------
    device : torch.device
        Where tensors live.
    mixed : bool
        Whether networks compute in bfloat16 where that is numerically safe.
    channels_last : bool
        Whether the values of one pixel lie side by side in memory.
    """

    device: torch.device
    mixed: bool = False
    channels_last: bool = False

    @property
    def is_cuda(self) -> bool:
        """Whether it is a CUDA GPU."""
        return self.device.type == "cuda"

    def autocast(self) -> AbstractContextManager[object]:
        """Return a context with mixed precision, or one that does nothing."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16) if self.mixed else nullcontext()

    def place(self, model: nn.Module) -> nn.Module:
        """Move a network to the device, in its layout."""
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        return model.to(device=self.device, memory_format=layout)  # type: ignore[call-overload, no-any-return]

    def arrange(self, batch: torch.Tensor) -> torch.Tensor:
        """Return a batch (B, C, H, W) in the layout of the networks."""
        return batch.contiguous(memory_format=torch.channels_last) if self.channels_last else batch

    def send(self, values: npt.NDArray[np.generic]) -> torch.Tensor:
        """Copy an array to the device; a GPU computes on meanwhile."""
        tensor = torch.from_numpy(np.ascontiguousarray(values))
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.is_cuda else tensor.to(self.device)

    def __str__(self) -> str:
        name = torch.cuda.get_device_name(self.device) if self.is_cuda else str(self.device)
        layout = ", channels last" if self.channels_last else ""
        return f"{name}, {'bfloat16' if self.mixed else 'float32'}{layout}"


def find_device(name: str = "auto") -> Device:
    """Choose a device by name; ``auto`` takes a GPU where there is one.

    Raises
    ------
    InputError
        If there is no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        # torch raises AssertionError if it was compiled without CUDA
        raise InputError(
            "this device can't be used", got=f"{name} ({str(error).splitlines()[0]})", wanted="auto, cpu, cuda or mps"
        ) from error
    return Device(device)


def bfloat16_may_be_fast(device: torch.device) -> bool:
    """Return whether to measure bfloat16: a processor without instructions for it is far too slow."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        # older versions of torch don't know; float32 is safe
        capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
        return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
    return False


Item = TypeVar("Item")
Result = TypeVar("Result")
#: Items handed out for each thread before the first result is taken, so that results do not pile up.
_AHEAD = 2


def each_on_one_core(
    work: Callable[[Item], Result], items: Iterable[Item], *, device: torch.device
) -> Iterator[Result]:
    """Yield ``work(item)`` for every item, in order, computed by as many threads as torch has.

    Torch's own threads split every operation and wait for each other at its end. If another program uses one of the
    cores, all of them wait (measured: 366 photos a second on two free cores, 44 with one of them busy). Independent
    items lose only the time on that core (200 photos a second). On a GPU there is one thread.

    Parameters
    ----------
    work : callable
        Thread-safe. Within it, torch computes with one thread.
    items : iterable
        The arguments.
    device : torch.device
        Where `work` computes.
    """
    threads = threads_for(device)
    if threads == 1:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield from map_ahead(pool, work, items, _AHEAD * threads)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)


def threads_for(device: torch.device) -> int:
    """Return how many threads :func:`each_on_one_core` uses where `device` computes."""
    return torch.get_num_threads() if device.type == "cpu" else 1

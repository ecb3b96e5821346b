"""The device that a model runs on, with its precision and memory layout: the only module that knows about hardware."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from training.errors import InputError
from training.utils.parallel import map_ahead

__all__ = ["Device", "each_on_one_core", "find_device", "hardware", "has_bfloat16", "threads", "threads_for"]


@dataclass(frozen=True)
class Device:
    """A torch device, its precision and its memory layout.

    Precision and layout change the last digits of every result, so they follow from the hardware or from what was
    asked for, and never from how fast anything was.

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

    @property
    def precision(self) -> str:
        """``bfloat16`` or ``float32``."""
        return "bfloat16" if self.mixed else "float32"

    def computing(self, precision: str) -> Device:
        """Return the device with a precision of `training.settings.PRECISIONS`, and the layout that goes with it.

        ``auto`` is bfloat16 where the hardware has instructions for it.
        """
        mixed = has_bfloat16(self.device) if precision == "auto" else precision == "bfloat16"
        # a CPU computes convolutions faster in this layout, a GPU those in bfloat16 (docs/benchmarks.md)
        return replace(self, mixed=mixed, channels_last=mixed or self.device.type == "cpu")

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
        return f"{name}, {self.precision}{layout}"


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


def has_bfloat16(device: torch.device) -> bool:
    """Return whether the hardware has instructions for bfloat16: without them it is far too slow."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        # older versions of torch don't know; float32 is safe
        capabilities = _of_processor()
        return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
    return False


def hardware(device: torch.device) -> str:
    """Return what computes on a device, in the words by which two machines are told apart that may differ in digits.

    Examples
    --------
    >>> hardware(torch.device("cpu")) == hardware(torch.device("cpu"))
    True
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type != "cpu":
        return str(device)
    name = str(_of_processor().get("cpu_name") or platform.processor() or platform.machine())
    return ", ".join([name, torch.backends.cpu.get_cpu_capability(), *["bfloat16"] * has_bfloat16(device)])


def _of_processor() -> dict[str, object]:
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return capabilities


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let torch compute with so many threads in this block: sums of another number differ in their last digits."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


Item = TypeVar("Item")
Result = TypeVar("Result")
#: Items handed out for each thread before the first result is taken, so that results do not pile up.
_AHEAD = 2


def each_on_one_core(
    work: Callable[[Item], Result], items: Iterable[Item], *, device: torch.device
) -> Iterator[Result]:
    """Yield ``work(item)`` for every item, in order, computed by as many threads as torch has, each on one core.

    As one thread computes each item, the results don't depend on how many there are.

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
    count = threads_for(device)
    if count == 1:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield from map_ahead(pool, work, items, _AHEAD * count)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(count)


def threads_for(device: torch.device) -> int:
    """Return how many threads :func:`each_on_one_core` uses where `device` computes."""
    return torch.get_num_threads() if device.type == "cpu" else 1

"""Where a model runs, and with which precision: the only place that knows of hardware."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from training.errors import InputError

__all__ = ["Device", "find_device"]


@dataclass(frozen=True)
class Device:
    """A torch device and its precision.

    Attributes
    ----------
    device : torch.device
        Where tensors live.
    mixed : bool
        Whether bfloat16 is fast here: CUDA from compute capability 8 on, CPUs with AMX or AVX512-BF16.
    """

    device: torch.device
    mixed: bool

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context of mixed precision, or one that changes nothing."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16) if self.mixed else nullcontext()

    def __str__(self) -> str:
        if self.device.type == "cuda":
            name = torch.cuda.get_device_name(self.device)
        else:
            name = f"{self.device} with {torch.get_num_threads()} threads"
        return f"{name}, {'bfloat16' if self.mixed else 'float32'}"


def find_device(name: str = "auto") -> Device:
    """Choose a device by name; ``auto`` takes a GPU where there is one.

    Raises
    ------
    InputError
        If the name is unknown or the device is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        # torch asserts that it was compiled with CUDA
        raise InputError(
            "this device can't be used", got=f"{name} ({str(error).splitlines()[0]})", wanted="auto, cpu, cuda or mps"
        ) from error
    return Device(device, mixed=_bfloat16_is_fast(device))


def _bfloat16_is_fast(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        # older torch can't tell; then plain float32 is the safe choice
        capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
        return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
    return False

"""The state of an unfinished training, kept on disk now and then: one that was killed goes on as if it had not been."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.fit.early_stopping import EarlyStop
from training.networks.network import Net
from training.utils.files import whole_file

__all__ = ["TrainingState"]

#: Seconds between two snapshots: one of ResNet-18 takes 130 MB and a fraction of a second.
_EVERY = 60.0


@dataclass
class TrainingState:
    """All that the next step depends on.

    Attributes
    ----------
    model, optimizer, schedule
        As they are.
    generator : Generator
        Of the order and the augmentation, on the CPU.
    stop : EarlyStop or None
        Ends a training before its time.
    """

    model: Net
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    generator: torch.Generator
    stop: EarlyStop | None = None
    _kept: float = field(default_factory=time.monotonic)

    def keep(self, path: Path, history: Sequence[dict[str, Any]]) -> None:
        """Write the state to `path` if the last time was a minute ago."""
        if time.monotonic() - self._kept < _EVERY:
            return
        content = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "generator": self.generator.get_state(),
            # dropout draws from the global one, on a GPU from the GPU's
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state() if _on_cuda(self.model) else None,
            "stop": None if self.stop is None else self.stop.to_dict(),
            "history": list(history),
        }
        with whole_file(path) as temporary:
            torch.save(content, temporary)
        self._kept = time.monotonic()

    def restore(self, path: Path) -> list[dict[str, Any]]:
        """Take over the state at `path`, if there is one; return the epochs that were done."""
        if not path.exists():
            return []
        content = torch.load(path, map_location="cpu", weights_only=True)
        self.model.load_state_dict(content["model"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.schedule.load_state_dict(content["schedule"])
        self.generator.set_state(content["generator"])
        torch.set_rng_state(content["random"])
        if content["random_cuda"] is not None and _on_cuda(self.model):
            torch.cuda.set_rng_state(content["random_cuda"])
        if self.stop is not None:
            self.stop.restore(content["stop"])
        return list(content["history"])


def _on_cuda(model: nn.Module) -> bool:
    return next(model.parameters()).is_cuda

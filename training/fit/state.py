"""A training in progress: one step of it, and snapshots on disk from which a killed training resumes unchanged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from training.fit.early_stopping import EarlyStop
from training.fit.optim import make_optimizer, make_schedule
from training.networks.network import Net, build_net
from training.settings import Recipe
from training.utils.arrays import Float32
from training.utils.devices import Device
from training.utils.files import sound, whole_file
from training.utils.tensor_files import read_tensors

__all__ = ["TrainingState"]

#: Seconds between two snapshots: one of ResNet-18 takes 130 MB and a fraction of a second.
_EVERY = 60.0


@dataclass
class TrainingState:
    """Everything that the next step depends on.

    Attributes
    ----------
    model, optimizer, schedule
        The network, its optimizer and its learning rates.
    device : Device
        Where the network is.
    generator : Generator
        Draws the order and the augmentation, on the CPU.
    stop : EarlyStop or None
        May end the training early.
    """

    model: Net
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    device: Device
    generator: torch.Generator
    stop: EarlyStop | None = None
    _saved: float = field(default_factory=time.monotonic)

    @classmethod
    def begin(
        cls,
        recipe: Recipe,
        labels: npt.NDArray[np.generic],
        prices: Float32 | None = None,
        *,
        classes: int,
        steps: int,
        device: Device,
        seed: int,
    ) -> TrainingState:
        """Build a network that is to be trained. Seeds the global generator.

        Parameters
        ----------
        recipe : Recipe
            How to train.
        labels : ndarray, shape (n,)
            Labels of the training rows.
        prices : ndarray of float32, shape (n,), optional
            Their prices, for a network that also gets the price.
        classes : int
            K.
        steps : int
            Optimizer steps in all, for the schedule of the learning rate.
        device : Device
            Where to train.
        seed : int
            Seed of the weights and of the order of the photos.
        """
        torch.manual_seed(seed)
        net = build_net(recipe, classes, labels, prices)
        device.place(net)
        optimizer = make_optimizer(net, recipe)
        generator = torch.Generator().manual_seed(seed)
        return cls(net, optimizer, make_schedule(optimizer, steps, recipe), device, generator)

    def step(
        self, photos: torch.Tensor, target: torch.Tensor, prices: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Take one optimizer step; return the mean loss, and what the network predicted before it.

        Parameters
        ----------
        photos : Tensor of float32, shape (B, 3, S, S)
        target : Tensor, shape (B,)
            Class numbers, or prices.
        prices : Tensor of float32, shape (B,), optional
            Prices, for a network that also gets the price.
        """
        with self.device.autocast():
            outputs = self.model.outputs(photos, prices)
            loss = self.model.loss(outputs, target)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.schedule.step()
        return loss.detach(), self.model.task.answer(outputs[0].detach())

    def save(self, path: Path, history: Sequence[dict[str, Any]]) -> None:
        """Write a snapshot with the epochs so far to `path`, if the last one is at least a minute old."""
        if time.monotonic() - self._saved < _EVERY:
            return
        content = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "generator": self.generator.get_state(),
            # dropout draws from the global generator, on a GPU from that of the GPU
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state() if _on_cuda(self.model) else None,
            "stop": None if self.stop is None else self.stop.to_dict(),
            "history": list(history),
        }
        with whole_file(path) as temporary, temporary.open("wb") as stream:
            torch.save(content, stream)
        self._saved = time.monotonic()

    def restore(self, path: Path) -> list[dict[str, Any]]:
        """Load the snapshot at `path`, if there is one; return the epochs that were trained before it.

        Raises
        ------
        DamagedError
            If it is no snapshot of such a training any more; then this state is spoilt.
        """
        if not path.exists():
            return []
        with sound(path):
            content = read_tensors(path)
            if self.stop is not None:
                self.stop.restore(content["stop"])
                # they come back when training ends, and must fit then
                self.model.load_state_dict(self.stop.weights or content["model"])
            self.model.load_state_dict(content["model"])
            self.optimizer.load_state_dict(content["optimizer"])
            self.schedule.load_state_dict(content["schedule"])
            self.generator.set_state(content["generator"])
            torch.set_rng_state(content["random"])
            if content["random_cuda"] is not None and _on_cuda(self.model):
                torch.cuda.set_rng_state(content["random_cuda"])
            return [dict(epoch) for epoch in content["history"]]


def _on_cuda(model: nn.Module) -> bool:
    return next(model.parameters()).is_cuda

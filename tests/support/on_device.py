"""What must hold on a GPU, checked with torch and numpy alone: pytest runs it, and benchmarks/gpu.py without pytest."""

from pathlib import Path

import numpy as np
import torch

from tests.support.coloured import coloured_photos
from training.crossval.jobs import Done, Job, prepare_data
from training.crossval.run_job import run_job
from training.settings import Recipe
from training.utils.devices import Device

_N, _TRAINED = 360, 300


def trained(folder: Path, device: Device, recipe: Recipe) -> Done:
    """Train on 300 photos of three colours, and predict 60 others."""
    photos, labels = coloured_photos(_N, size=recipe.size)
    every = np.arange(_N)
    data = prepare_data(
        photos, every >= 0, every, classes=3, recipe=recipe, device=device, folder=folder, photos_key=str(folder)
    )
    job = Job("fold 1 of 1", folder / "fold-0", labels, every[:_TRAINED], every[_TRAINED:], seed=1)
    return run_job(job, data, recipe, device)


def gets_half_the_batch(folder: Path, device: Device) -> None:
    """Check that a GPU without enough memory trains with smaller batches, and says so."""
    recipe = Recipe(
        model="resnet18", image_size=64, batch_size=256, epochs=2, learning_rate=1e-3, pretrained=False,
        features="patches",
    )  # fmt: skip
    total = torch.cuda.get_device_properties(device.device).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(600e6 / total)
    try:
        done = trained(folder, device, recipe)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert any("out of memory with batches of 256; trained with 128" in line for line in done.warnings), done.warnings
    assert done.network is not None
    assert done.network.shape == (60, 3)
    assert np.allclose(done.network.sum(axis=1), 1, atol=1e-5)


def learns_the_same_twice(folder: Path, device: Device, model: str = "resnet18") -> None:
    """Check that a network learns, and that the same seed comes to the same, with the GPU's generator left alone."""
    recipe = Recipe(
        model=model, image_size=32, batch_size=32, epochs=4, learning_rate=1e-3, pretrained=False, features="patches"
    )
    _, labels = coloured_photos(_N, size=32)
    state = torch.cuda.get_rng_state() if device.is_cuda else torch.get_rng_state()
    runs = [trained(folder / name, device, recipe) for name in "ab"]
    first, second = (run.network for run in runs)
    assert first is not None
    assert second is not None
    assert (first.argmax(axis=1) == labels[_TRAINED:]).mean() > 0.8
    assert runs[0].head is not None
    assert (runs[0].head.argmax(axis=1) == labels[_TRAINED:]).mean() > 0.9
    # cuDNN may add up in another order
    assert np.allclose(first, second, atol=0.05)
    assert torch.equal(torch.cuda.get_rng_state() if device.is_cuda else torch.get_rng_state(), state)

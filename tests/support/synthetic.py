"""Photos whose class is their colour, and what trains on them in a test's time."""

from dataclasses import replace

import numpy as np
import torch
from torchvision.models import get_model, get_model_weights

from tests.support.coloured import coloured_photos
from training.crossval.cross_validate import FoldPlan, cross_validate
from training.crossval.jobs import prepare_data
from training.fit.throughput import Arrangement
from training.settings import Recipe
from training.utils.devices import find_device

CPU = find_device("cpu")
ALONE = Arrangement(CPU)
TOGETHER = Arrangement(CPU, side_by_side=2)
# it has dropout, which draws from the global generator, and no batch norm
NETWORKS = Recipe(
    model="squeezenet1_1",
    image_size=32,
    epochs=2,
    batch_size=8,
    learning_rate=1e-3,
    pretrained=False,
    features="patches",
)
HEADS = replace(NETWORKS, epochs=0)
LENET = replace(NETWORKS, model="lenet", epochs=8, learning_rate=3e-3)
PRICES = replace(LENET, target="price", label_smoothing=0.0)


def put_weights(home, name, seed=0):
    """Put weights of a torchvision classifier, drawn at random, where torch looks for those that it has fetched."""
    torch.manual_seed(seed)
    source = get_model(name, weights=None)
    checkpoints = home / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    torch.save(source.state_dict(), checkpoints / get_model_weights(name).DEFAULT.url.rsplit("/", 1)[-1])
    return source


def priced(n=120, seed=0):
    """Return coloured photos, their labels, and prices that go with the colour: 10, 100, 1,000, each up to 20 % off."""
    photos, labels = coloured_photos(n, seed=seed)
    prices = 10.0 ** (labels + 1) * np.random.default_rng(seed).uniform(0.8, 1.2, n)
    return photos, labels, prices.astype(np.float32)


def plan_of(n, folds=3, may_train=None, has_photo=None):
    everyone = np.ones(n, dtype=bool)
    return FoldPlan(
        fold=np.arange(n) // 3 % folds,
        groups=np.arange(n),
        may_train=everyone if may_train is None else may_train,
        has_photo=everyone if has_photo is None else has_photo,
    )


def prepared(folder, photos, plan, settings, **options):
    return prepare_data(
        photos, plan.has_photo, plan.groups, classes=3, recipe=settings, device=CPU, folder=folder, **options
    )


def validate(folder, photos, labels, plan, settings=NETWORKS, arrangement=ALONE, **options):
    """Return the out-of-fold probabilities of a cross-validation from the photos on, as a run does it."""
    return validated(folder, photos, labels, plan, settings, arrangement, **options).probs


def validated(folder, photos, labels, plan, settings=NETWORKS, arrangement=ALONE, **options):
    """Return all that a cross-validation gives."""
    data = prepared(folder, photos, plan, settings)
    return cross_validate(data, labels, plan, recipe=settings, arrangement=arrangement, folder=folder, **options)

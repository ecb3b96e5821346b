"""`curate compare-models`: every model with every optimiser on the same folds."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from curation.cli.options import model_settings
from curation.cli.train import train
from curation.study.command import command_line
from training.errors import InputError
from training.models import build_model
from training.settings import TrainSettings

SETTINGS = TrainSettings(preset="thorough")


def settings_of(line: str) -> TrainSettings:
    """Return what `curate train` makes of a command line."""
    program, command, *words = shlex.split(line)
    assert (program, command) == ("curate", "train")
    options = dict(train.make_context("train", words).params)
    for name in ("dataset", "output", "columns", "allow_outside", "cache_dir", "as_json"):
        options.pop(name)
    return model_settings(options)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"model": "inception_v3", "image_size": 299, "epochs": 30, "batch_size": 128, "optimizer": "sgd"},
        {"learning_rate": 5e-5, "lr_steps": ((20000, 1e-6), (30000, 1e-7)), "schedule": "constant"},
        {"learning_rate": 0.0012345678901234, "weight_decay": 0.0, "label_smoothing": 0.0, "seed": 7},
        {"schedule": "cosine", "iterations": 40000, "early_stop": 3, "balance": "augment", "augment": "none"},
        {"use_price": True, "pretrained": False, "device": "cpu", "image_size": 64},
        {"target": "price", "loss": "log-huber"},
    ],
)
def test_a_command_line_gives_its_settings_back(changes):
    settings = replace(SETTINGS, **changes)
    line = command_line(settings, "my shop/listings.csv", "--column", "label=the category")
    assert settings_of(line) == settings


def test_a_command_line_says_only_what_differs_from_the_defaults():
    assert command_line(SETTINGS, "demo") == "curate train demo"
    assert command_line(replace(SETTINGS, optimizer="sgd"), "a b") == "curate train 'a b' --optimizer sgd"


def test_a_photo_size_that_a_vision_transformer_cannot_take_is_refused():
    with pytest.raises(InputError, match="vit_b_16 can't take photos of 50 pixels"):
        build_model("vit_b_16", classes=3, image_size=50, pretrained=False)

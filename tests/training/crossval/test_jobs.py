"""The input that all models share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.support.synthetic import NETWORKS, plan_of, prepared
from training.utils.files import sha256_of_file


def test_features_of_others_are_taken_if_they_are_the_same_and_stay_if_not(tmp_path: Path) -> None:
    photos, plan, own = (
        np.random.default_rng(0).integers(0, 255, (12, 16, 16, 3), np.uint8),
        plan_of(12),
        tmp_path / "b",
    )
    recipe = replace(NETWORKS, image_size=16, seed=3)
    first = prepared(tmp_path, photos, plan, recipe, photos_key="a").features
    assert first == tmp_path / "features-3.npy"
    before = sha256_of_file(first)
    assert prepared(own, photos, plan, recipe, photos_key="a", shared=tmp_path).features == first
    other = prepared(own, photos, plan, recipe, photos_key="b", shared=tmp_path).features
    assert other == own / "features-3.npy"
    assert sha256_of_file(first) == before
    assert prepared(own, photos, plan, recipe, photos_key="b", shared=tmp_path).features == other
    assert prepared(tmp_path, photos, plan, recipe, photos_key="a").features == first

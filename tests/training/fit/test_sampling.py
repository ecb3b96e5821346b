"""Small classes in an epoch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.synthetic import CPU, LENET, coloured_photos
from training.evaluation.metrics import classification_scores
from training.fit.loop import Examples, fit
from training.fit.sampling import epoch_rows, epoch_size
from training.networks.predict import predict
from training.settings import BALANCES, Recipe


def test_balanced_epochs_have_every_row_and_as_many_of_each_class():
    rows, labels = np.arange(100, 111), np.array([0] * 7 + [1] * 3 + [2])
    for how in BALANCES:
        drawn, copies = epoch_rows(rows, labels, Recipe(balance=how), torch.Generator().manual_seed(0))
        assert len(drawn) == epoch_size(labels, Recipe(balance=how)) == (21 if how in ("oversample", "augment") else 11)
        assert set(drawn) == set(rows)
        assert np.array_equal(drawn[~copies], rows)
    counts = np.bincount(labels[drawn - 100]) if how == "none" else None
    assert counts is None or counts.tolist() == [7, 3, 1]
    drawn, _ = epoch_rows(rows, labels, Recipe(balance="oversample"), torch.Generator().manual_seed(0))
    assert np.bincount(labels[drawn - 100]).tolist() == [7, 7, 7]
    # no copy comes a second time before all others came once
    assert sorted(np.bincount(drawn - 100)[7:10].tolist()) == [2, 2, 3]


@pytest.mark.parametrize("balance", BALANCES)
def test_a_rare_class_is_learnt_with_every_way_to_balance(balance):
    photos, labels = coloured_photos(120)
    rows = np.concatenate([np.flatnonzero(labels[:90] == 0), np.flatnonzero(labels[:90] > 0)[::5]])
    settings = replace(LENET, balance=balance, epochs=12)
    fitted = fit(Examples(photos, labels), rows, classes=3, recipe=settings, device=CPU, seed=0)
    predicted = predict(fitted.model, photos, np.arange(90, 120), CPU).argmax(axis=1)
    assert fitted.history[-1].step == settings.steps_for(epoch_size(labels[rows], settings))
    assert classification_scores(labels[90:], predicted)["macro_f1"] > 0.6

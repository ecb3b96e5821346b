"""Random variation of photos."""

import numpy as np
import pytest
import torch

from tests.support.synthetic import CPU, coloured_photos
from training.fit.augment import turn_and_mirror, varied
from training.settings import AUGMENTS


@pytest.mark.parametrize("how", AUGMENTS)
def test_every_way_to_vary_photos_keeps_their_shape_and_is_the_same_for_the_same_seed(how):
    photos, _ = coloured_photos(6)
    batches = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        batches.append(varied(photos, how, torch.Generator().manual_seed(seed), CPU, size=24))
    assert batches[0].shape == (6, 3, 24, 24)
    assert torch.equal(batches[0], batches[1])
    assert torch.equal(batches[0], batches[2]) == (how == "none")


def test_only_copies_are_turned_and_mirrored_where_small_classes_are():
    photos, _ = coloured_photos(4)
    copies = np.array([True, False, True, False])
    plain = varied(photos, "none", torch.Generator(), CPU)
    batch = varied(photos, "none", torch.Generator().manual_seed(3), CPU, turned=copies)
    assert torch.equal(batch[~torch.from_numpy(copies)], plain[~torch.from_numpy(copies)])
    assert not torch.equal(batch[0], plain[0])


def test_turning_and_mirroring_keeps_the_middle_of_a_photo():
    batch = torch.zeros(8, 3, 33, 33)
    batch[:, :, 14:19, 14:19] = 1
    turned = turn_and_mirror(batch, torch.Generator().manual_seed(0))
    assert torch.allclose(turned[:, :, 16, 16], torch.ones(8, 3))
    assert torch.allclose(turned.mean(), batch.mean(), atol=0.003)

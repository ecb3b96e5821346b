"""How much to listen to the networks, and how much to the linear heads."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["blend", "network_shares"]

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

_SHARES = np.linspace(0, 1, 11)


def network_shares(head: Floats, network: Floats, labels: Integers, fold: Integers, *, folds: int) -> Floats:
    """Choose for every fold how much its network counts, by how well the *other* folds' blends predict given labels.

    A network that was trained shortly on few photos is worse than the head, and one that was trained for long on many
    is better. A fold's own labels have no say, so its blended probabilities stay out-of-fold (stacking: Wolpert,
    "Stacked generalization", 1992).

    Parameters
    ----------
    head, network : ndarray of float32, shape (n, K)
        Out-of-fold probabilities of both; rows sum to 1.
    labels, fold : ndarray of int64, shape (n,)
        Given class numbers, -1 where there is none, and folds.
    folds : int
        How many folds.

    Returns
    -------
    ndarray of float32, shape (folds,)
        The network's shares, 0 to 1.
    """
    judged = labels >= 0
    given = labels[judged]
    rows = np.arange(len(given))
    of_head, of_network = head[judged][rows, given], network[judged][rows, given]
    losses = np.stack([-np.log(np.maximum(blend(of_head, of_network, share), 1e-8)) for share in _SHARES])
    per_fold = np.stack([losses[:, fold[judged] == number].sum(axis=1) for number in range(folds)])
    shares: Floats = _SHARES[(per_fold.sum(axis=0) - per_fold).argmin(axis=1)].astype(np.float32)
    return shares


def blend(head: Floats, network: Floats, share: float | Floats) -> Floats:
    """Return the weighted mean of both probabilities; `share` is the network's, 0 to 1."""
    blended: Floats = ((1 - share) * head + share * network).astype(np.float32)
    return blended

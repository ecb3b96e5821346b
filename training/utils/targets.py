"""What models learn of each row: its label, two labels that may be right, or a belief in every class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.utils.arrays import Float32, Int64

if TYPE_CHECKING:
    import torch

__all__ = ["Beliefs", "SoftLabels", "Targets"]


@dataclass(frozen=True)
class SoftLabels:
    """How much the label of each row counts, and a second label that counts as well.

    With the chances that they are right as weights, the loss is the one expected of the true label, as far as it is one
    of the two.

    Attributes
    ----------
    weight : ndarray of float32, shape (N,)
        Weight of the label, in [0, 1].
    second : ndarray of int64, shape (N,)
        Class number of the second label; -1 where there is none.
    second_weight : ndarray of float32, shape (N,)
        Weight of the second label, in [0, 1]; 0 where there is none.
    """

    weight: Float32
    second: Int64
    second_weight: Float32

    def arrays(self) -> tuple[Float32, Int64, Float32]:
        """Return all that a model depends on."""
        return self.weight, self.second, self.second_weight


@dataclass(frozen=True)
class Targets:
    """What the outputs for a row are compared with.

    Attributes
    ----------
    labels : ndarray of int64, shape (N,)
        Class numbers 0 to K-1; only those of rows that are asked for are used.
    classes : int
        K.
    soft : SoftLabels or None
        None: each label counts fully.

    Examples
    --------
    >>> soft = SoftLabels(np.float32([1, 0.5]), np.array([-1, 0]), np.float32([0, 0.25]))
    >>> targets = Targets(np.array([2, 1]), 3, soft)
    >>> targets.of(np.array([0, 1]))
    tensor([[0.0000, 0.0000, 1.0000],
            [0.2500, 0.5000, 0.0000]])
    >>> targets.mass(np.array([0, 1]))
    1.75
    """

    labels: Int64
    classes: int
    soft: SoftLabels | None = None

    def of(self, rows: Int64) -> torch.Tensor:
        """Return what :func:`torch.nn.functional.cross_entropy` takes for rows (n,).

        Returns
        -------
        Tensor
            Class numbers, int64 of shape (n,); or weights of the classes, float32 of shape (n, K).
        """
        # takes seconds to import, and checks before a training need none of it
        import torch

        labels = self.labels[rows]
        if self.soft is None:
            return torch.from_numpy(labels)
        weights, each = np.zeros((len(rows), self.classes), dtype=np.float32), np.arange(len(rows))
        weights[each, labels] = self.soft.weight[rows]
        two = self.soft.second[rows] >= 0
        weights[each[two], self.soft.second[rows][two]] += self.soft.second_weight[rows][two]
        return torch.from_numpy(weights)

    def mass(self, rows: Int64) -> float:
        """Return the sum of all weights of rows (n,): n, if each label counts fully."""
        if self.soft is None:
            return float(len(rows))
        # a share of it, also where nothing counts
        return max(float(self.soft.weight[rows].sum() + self.soft.second_weight[rows].sum()), 1e-6)


@dataclass(frozen=True)
class Beliefs:
    """A belief in every class, with which the outputs for a row are compared.

    Attributes
    ----------
    probs : ndarray of float32, shape (N, K)
        Rows that are asked for sum to 1.
    weight : ndarray of float32, shape (N,), or None
        How much each row counts, above 0; None: all count as 1.

    Examples
    --------
    >>> beliefs = Beliefs(np.float32([[0.25, 0.75], [1, 0]]), np.float32([0.5, 1]))
    >>> beliefs.of(np.array([0, 1]))
    tensor([[0.1250, 0.3750],
            [1.0000, 0.0000]])
    >>> beliefs.mass(np.array([0, 1]))
    1.5
    """

    probs: Float32
    weight: Float32 | None = None

    @property
    def classes(self) -> int:
        """K."""
        return int(self.probs.shape[1])

    def of(self, rows: Int64) -> torch.Tensor:
        """Return the beliefs of rows (n,), float32 of shape (n, K)."""
        import torch

        probs = self.probs[rows]
        return torch.from_numpy(probs if self.weight is None else probs * self.weight[rows, None])

    def mass(self, rows: Int64) -> float:
        """Return the sum of the weights of rows (n,): n, if each counts fully."""
        return float(len(rows) if self.weight is None else self.weight[rows].sum())

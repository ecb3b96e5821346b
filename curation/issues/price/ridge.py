"""Several ridge regressions on the same sparse columns, solved together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from training.utils.arrays import Float32, Float64, Int64

__all__ = ["Ridges"]

#: Relative tolerance of conjugate gradients: on prices, hundreds of further steps hardly changed a flag.
_TOLERANCE = 0.03
#: Steps at most; some tens are enough.
_STEPS = 500


@dataclass(frozen=True)
class Ridges:
    """Ridge regressions with an intercept, which differ in their weights and penalties.

    Attributes
    ----------
    columns : csr_matrix of float32, shape (N, V)
        What they regress on.
    transposed : csr_matrix of float32, shape (V, N)
        The same, transposed.
    weights : ndarray of float32, shape (N, R)
        Weight of each row in each regression, 0 or more.
    penalties : ndarray of float32, shape (R,)
        Above 0.
    sums, means : ndarray of float32, shape (R,) and (V, R)
        Sum of the weights, and weighted means of the columns.
    """

    columns: csr_matrix
    transposed: csr_matrix
    weights: Float32
    penalties: Float32
    sums: Float32
    means: Float32

    @classmethod
    def of(cls, columns: csr_matrix, transposed: csr_matrix, weights: Float64, penalties: Float32) -> Self:
        """Return the regressions with these weights, float64 of shape (N, R), and penalties."""
        # a regression without rows finds zeros
        sums = weights.sum(axis=0)
        sums[sums == 0] = 1
        own, total = weights.astype(np.float32), sums.astype(np.float32)
        return cls(columns, transposed, own, penalties, total, transposed @ own / total)

    def solve(self, target: Float64, start: Float32) -> tuple[Float32, Float64]:
        """Return coefficients, shape (V, R), and intercepts, shape (R,).

        Conjugate gradients with the diagonal as a preconditioner (Golub and Van Loan, *Matrix Computations*, 2013,
        chapter 11). All regressions go through the columns together, until each has converged.

        Parameters
        ----------
        target : ndarray of float64, shape (N,)
            Finite.
        start : ndarray of float32, shape (V, R)
            Coefficients to begin with, such as those of similar weights.
        """
        centre = (target @ self.weights) / self.sums
        apart = ((target[:, None] - centre) * self.weights).astype(np.float32)
        right = self.transposed @ apart - self.means * apart.sum(axis=0)
        enough = (_TOLERANCE * np.linalg.norm(right, axis=0)).astype(np.float32)
        scale, left = self._scale(), np.arange(len(self.penalties))
        found = start.copy()
        residual = right - self._times(found, left) if start.any() else right
        step, last = np.zeros_like(residual), np.ones(len(left), dtype=np.float32)
        for _ in range(_STEPS):
            going = np.linalg.norm(residual, axis=0) > enough[left]
            if not going.all():
                left, residual, step, last = left[going], residual[:, going], step[:, going], last[going]
            if not len(left):
                break
            scaled = residual / scale[:, left]
            size = (residual * scaled).sum(axis=0)
            step = scaled + size / last * step
            changed = self._times(step, left)
            length = size / (step * changed).sum(axis=0)
            found[:, left] += length * step
            residual, last = residual - length * changed, size
        return found, np.asarray(centre - (self.means * found).sum(axis=0), dtype=np.float64)

    def _scale(self) -> Float32:
        """Return the diagonals of the normal equations, shape (V, R)."""
        squares = csr_matrix(
            (self.transposed.data**2, self.transposed.indices, self.transposed.indptr), self.transposed.shape
        )
        spread = np.maximum(squares @ self.weights - self.sums * self.means**2, 0)
        return np.asarray(spread + self.penalties, dtype=np.float32)

    def _times(self, coefficients: Float32, of: Int64) -> Float32:
        """Return the product of the normal equations of these regressions with coefficients, shape (V, r)."""
        means = self.means[:, of]
        rows = self.columns @ coefficients
        rows -= (means * coefficients).sum(axis=0)
        rows *= self.weights[:, of]
        product = self.transposed @ rows
        product -= means * rows.sum(axis=0)
        product += self.penalties[of] * coefficients
        return np.asarray(product)

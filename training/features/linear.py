"""Linear heads on features: multinomial logistic regression; held-out rows decide how strongly it is regularized."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from training.utils.arrays import Bool, Float32, Int64
from training.utils.targets import Beliefs, SoftLabels, Targets

__all__ = ["Head", "fit_head", "fit_with"]


#: Strengths of the penalty to try, from strong to weak, until the held-out loss rises.
_STRENGTHS = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)
_HELD_OUT = 0.2
#: More rows do not improve the choice of the strength.
_ENOUGH = 20_000
_ITERATIONS = 60
#: Rows in memory at a time: features stay on disk.
_BLOCK = 16_384


@dataclass(frozen=True)
class Head:
    """A linear classifier.

    Attributes
    ----------
    weight : Tensor of float32, shape (D, K)
    bias : Tensor of float32, shape (K,)
    strength : float
        Strength of the penalty.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    strength: float

    @torch.inference_mode()
    def predict(self, features: Float32, rows: Int64) -> Float32:
        """Return the probabilities of `rows`: float32, shape (n, K); rows sum to 1."""
        parts = [
            torch.softmax(block @ self.weight + self.bias, 1).cpu().numpy()
            for block in _blocks(features, rows, self.weight.device)
        ]
        return np.concatenate(parts) if parts else np.empty((0, len(self.bias)), dtype=np.float32)


def fit_head(
    features: Float32,
    rows: Int64,
    labels: Int64,
    groups: Int64,
    *,
    classes: int,
    seed: int,
    device: torch.device,
    soft: SoftLabels | None = None,
) -> Head:
    """Fit a multinomial logistic regression with ridge penalty by L-BFGS.

    The strength of the penalty is the one with the lowest loss on whole groups that are held out of `rows`. The result
    is then fitted on all of `rows`.

    Parameters
    ----------
    features : ndarray of float32, shape (N, D)
        May be memory-mapped.
    rows : ndarray of int64, shape (n,)
        The rows to fit on.
    labels, groups : ndarray of int64, shape (N,)
        Class numbers 0 to K-1, and groups that must stay together; only those of `rows` are used.
    classes : int
        K.
    seed : int
        Seed of the choice of held-out rows.
    device : torch.device
        Where to compute.
    soft : SoftLabels, optional
        How much each label counts; by default all do fully.

    Returns
    -------
    Head
    """
    rows = np.sort(rows)
    start = torch.zeros(features.shape[1] + 1, classes, device=device)
    held_out, targets = _held_out(rows, groups, seed), Targets(labels, classes, soft)
    if not held_out.any() or held_out.all():
        return _head(_minimise(features, rows, targets, start, _STRENGTHS[2]), _STRENGTHS[2])
    fitted, scored = _some(rows[~held_out], seed), _some(rows[held_out], seed)
    best, lowest, solution = _STRENGTHS[0], np.inf, start
    for strength in _STRENGTHS:
        start = _minimise(features, fitted, targets, start, strength)
        loss = _loss(features, scored, targets, start)
        if loss >= lowest:
            break
        best, lowest, solution = strength, loss, start
    return _head(_minimise(features, rows, targets, solution, best), best)


def fit_with(
    features: Float32, rows: Int64, targets: Targets | Beliefs, *, strength: float, device: torch.device
) -> Head:
    """Fit a head as :func:`fit_head` does, with a strength that is known.

    Parameters
    ----------
    features : ndarray of float32, shape (N, D)
        May be memory-mapped.
    rows : ndarray of int64, shape (n,)
        The rows to fit on.
    targets : Targets or Beliefs
        What is learned of each of them.
    strength : float
        Strength of the penalty, above 0.
    device : torch.device
        Where to compute.

    Returns
    -------
    Head
    """
    start = torch.zeros(features.shape[1] + 1, targets.classes, device=device)
    return _head(_minimise(features, np.sort(rows), targets, start, strength), strength)


def _held_out(rows: Int64, groups: Int64, seed: int) -> Bool:
    distinct, inverse = np.unique(groups[rows], return_inverse=True)
    return np.asarray(np.random.default_rng(seed).random(len(distinct)) < _HELD_OUT, dtype=bool)[inverse]


def _some(rows: Int64, seed: int) -> Int64:
    # a random sample, as a table may be sorted by class
    return np.sort(np.random.default_rng(seed).permutation(rows)[:_ENOUGH])


def _head(solution: torch.Tensor, strength: float) -> Head:
    return Head(solution[:-1].contiguous(), solution[-1].contiguous(), strength)


def _minimise(
    features: Float32, rows: Int64, targets: Targets | Beliefs, start: torch.Tensor, strength: float
) -> torch.Tensor:
    """Return the weights (D + 1, K), the last row the bias, that minimise mean loss and penalty."""
    solution = start.clone()
    optimizer = torch.optim.LBFGS(
        [solution], max_iter=_ITERATIONS, tolerance_change=1e-6, history_size=20, line_search_fn="strong_wolfe"
    )
    mass = targets.mass(rows)
    # a dataset of one block is read only once
    cached = list(_with_targets(features, rows, targets, solution.device)) if len(rows) <= _BLOCK else None

    @torch.no_grad()
    def closure() -> torch.Tensor:
        slope = torch.zeros_like(solution)
        total = strength / 2 * solution[:-1].square().sum()
        slope[:-1] = strength * solution[:-1]
        for block, target in cached or _with_targets(features, rows, targets, solution.device):
            loss, change = _compared(_outputs(block, solution), target)
            total += loss / mass
            slope[:-1] += (change.T @ block).T / mass
            slope[-1] += change.sum(0) / mass
        solution.grad = slope
        return total

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return solution.detach()


def _outputs(block: torch.Tensor, solution: torch.Tensor) -> torch.Tensor:
    # few classes beside many rows: a product of this shape takes two thirds of the time on a CPU
    return (solution[:-1].T.contiguous() @ block.T).T + solution[-1]


def _compared(outputs: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the sum of the cross-entropies of outputs (n, K), and its gradient with respect to the outputs.

    In a third of the time of automatic differentiation, which makes products of shapes that a CPU is slow at.
    """
    whole = outputs.logsumexp(1, keepdim=True)
    change = (outputs - whole).exp_()
    if target.ndim == 1:
        numbers = target[:, None]
        change.scatter_add_(1, numbers, torch.full_like(whole, -1))
        return (whole - outputs.gather(1, numbers)).sum(), change
    change *= target.sum(1, keepdim=True)
    return (target * (whole - outputs)).sum(), change.sub_(target)


@torch.inference_mode()
def _loss(features: Float32, rows: Int64, targets: Targets | Beliefs, solution: torch.Tensor) -> float:
    return sum(
        float(functional.cross_entropy(block @ solution[:-1] + solution[-1], target, reduction="sum"))
        for block, target in _with_targets(features, rows, targets, solution.device)
    ) / targets.mass(rows)


def _blocks(features: Float32, rows: Int64, device: torch.device) -> Iterator[torch.Tensor]:
    for at in range(0, len(rows), _BLOCK):
        yield torch.from_numpy(np.ascontiguousarray(features[rows[at : at + _BLOCK]])).to(device)


def _with_targets(
    features: Float32, rows: Int64, targets: Targets | Beliefs, device: torch.device
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    for number, block in enumerate(_blocks(features, rows, device)):
        chosen = rows[number * _BLOCK : (number + 1) * _BLOCK]
        yield block, targets.of(chosen).to(device)

"""Whether two photos are the same one, saved again, resized, slightly cropped or brightened.

One photo is moved, stretched and brightened a little until it fits the other as well as possible (Lucas and Kanade, "An
Iterative Image Registration Technique with an Application to Stereo Vision", IJCAI 1981; here with stretching, in each
direction by itself). Then no difference may remain, neither in the whole photo nor in any part of it. Otherwise another
item on the same background would count as the same photo.

The first steps of such a fit, at 16 pixels and with loose bounds, rule out most pairs at a fraction of the cost
(`could_be_same`).
"""

from __future__ import annotations

import numpy as np

from curation.photos.hashing import shrunk
from training.images import Pixels
from training.utils.arrays import Bool, Float32

__all__ = ["LEAST_LIKENESS", "could_be_same", "likeness"]

#: Least correlation of two photos that count as the same, once the first is fitted to the second.
LEAST_LIKENESS = 0.94

# The thresholds separate the reposts of six demos (seeds 0 to 5, 180 pairs, each at 32, 48 and 64 pixels) from the
# 2,500 pairs of other photos that are compared there; `benchmarks/reposts.py` measures on other seeds.
# side in pixels at which photos are compared; at a larger one, traces of JPEG and resampling look like a difference
_SIDE = 32
# sides and steps of fitting: coarse first, since a fit only finds moves of about a pixel
_FITS = ((16, 2), (_SIDE, 2))
# least correlation after a coarse fit that is worth a finer one
_PROMISING = 0.9
# largest move of any kind, as a share of the side
_MOVED = 0.085
# smallest and largest change of contrast
_GAIN = (0.8, 1.25)
# pixels of 32 at the borders that are not compared, because moving fills them
_BORDER = 2
# the photo is compared in 4 x 4 parts of 7 pixels each
_PART = 7
# largest mean difference of a part, grey levels of 255; above it, the part shows something else
_LEFT_OVER = 5.2
# the same after one and two steps of fitting at 16 pixels, in 4 x 4 parts. Chosen on real photos that were cropped by
# up to 3 % a side, saved again and brightened (groceries and second-hand goods, 700 each), the reposts of demos with
# seeds 0 to 3, and 420 among look-alikes (`benchmarks/reposts.py`, with a seed that is not reported). No pair that
# `likeness` joins differs by more than 12.7 and 11.6; photos of a shelf a moment later, by up to 17.1 and 11.4. Of the
# other pairs, 6 to 30 % pass the first bound, and 1 to 17 % both
_LEFT_OVER_EARLY = (18.0, 14.0)
_PARTS = 4
# largest difference of a quarter at half the side, relative to the photo's own steps between neighbouring pixels
_LEFT_OVER_SHARE = 0.285
# grey levels that every photo is assumed to vary by, so that a plain photo is not judged by its noise
_NOISE = 5.0


def could_be_same(first: Pixels, second: Pixels) -> Bool:
    """Say quickly which pairs are worth comparing by :func:`likeness`; either photo may be the changed one.

    Parameters
    ----------
    first, second : ndarray of uint8, shape (n, 16, 16, 3)
        The photos, from :func:`curation.photos.hashing.small_photos`.

    Returns
    -------
    ndarray of bool, shape (n,)
        False if some part clearly shows something else.
    """
    could = _nearly_fits(first, second)
    missed = np.flatnonzero(~could)
    if len(missed):
        could[missed] = _nearly_fits(second[missed], first[missed])
    return could


def _nearly_fits(first: Pixels, second: Pixels) -> Bool:
    one, other = first.astype(np.float32), second.astype(np.float32)
    rows = np.arange(len(one))
    moves = np.zeros((len(one), 4), dtype=np.float32)
    moved = one
    for most in _LEFT_OVER_EARLY:
        causes = _causes(moved)
        fit = _least_squares(causes, other[rows])
        rest = other[rows] - (fit[:, None] @ causes).reshape(moved.shape)
        nearly = _largest_part(rest, rest.shape[1] // _PARTS) <= most
        rows, moves = rows[nearly], _better(moves[nearly], fit[nearly])
        if not len(rows):
            break
        moved = _moved(one[rows], moves)
    could = np.zeros(len(one), dtype=np.bool_)
    could[rows] = True
    return could


def likeness(first: Pixels, second: Pixels) -> Float32:
    """Compare photos in pairs; either one may be the changed one.

    Parameters
    ----------
    first, second : ndarray of uint8, shape (n, S, S, 3)
        The photos.

    Returns
    -------
    ndarray of float32, shape (n,)
        The correlation of two photos that are the same one, 0.94 to 1; 0 for different ones.
    """
    one, other = shrunk(first, _SIDE), shrunk(second, _SIDE)
    correlation = _one_way(one, other)
    # the sharper of two photos can be fitted to the other, not always the other way round
    missed = np.flatnonzero(correlation == 0)
    if len(missed):
        correlation[missed] = _one_way(other[missed], one[missed])
    return correlation


def _one_way(one: Float32, other: Float32) -> Float32:
    correlation: Float32 = np.zeros(len(one), dtype=np.float32)
    rows = np.arange(len(one))
    moves = np.zeros((len(one), 4), dtype=np.float32)
    for side, steps in _FITS:
        a, b = shrunk(one[rows], side), shrunk(other[rows], side)
        for _ in range(steps):
            moves = _fitted(a, b, moves)
        # this rules out most pairs, before the larger side
        promising = _correlation(_moved(a, moves), b)[0] >= _PROMISING
        rows, moves = rows[promising], moves[promising]
        if not len(rows):
            return correlation
    correlation[rows] = _compared(_moved(one[rows], moves), other[rows], moves)
    return correlation


def _fitted(one: Float32, other: Float32, moves: Float32) -> Float32:
    """Return better moves: those that would fit best if brightness changed linearly between pixels.

    Moves have the shape (n, 4): right and down, each an offset and a stretch, as shares of the side.
    """
    return _better(moves, _least_squares(_causes(_moved(one, moves)), other))


def _better(moves: Float32, fit: Float32) -> Float32:
    gain = np.where(fit[:, :1] < 0.2, 1, fit[:, :1])
    bound = 1.5 * _MOVED
    return np.asarray((moves + fit[:, 2:] / gain).clip(-bound, bound), dtype=np.float32)


def _causes(photos: Float32) -> Float32:
    """Return what changes a pixel: contrast, brightness and the four moves; shape (n, 6, pixels)."""
    count, side = photos.shape[:2]
    place = _places(side)
    down, right = np.gradient(photos, 1 / side, axis=(1, 2))
    causes = [photos, np.ones_like(photos), right, right * place[:, None], down, down * place[:, None, None]]
    return np.stack(causes, axis=1).reshape(count, len(causes), -1)


def _least_squares(causes: Float32, photos: Float32) -> Float32:
    """Return how much of each cause fits the photos best, shape (n, 6)."""
    count, many = causes.shape[:2]
    squares = causes @ causes.transpose(0, 2, 1)
    # a photo that does not vary in one direction leaves the move in it open: then there is none
    squares += np.eye(many, dtype=np.float32) * 1e-6 * np.trace(squares, axis1=1, axis2=2)[:, None, None]
    return np.asarray(np.linalg.solve(squares, causes @ photos.reshape(count, -1, 1))[..., 0], dtype=np.float32)


def _places(side: int) -> Float32:
    """Return the positions of the pixels, as shares of the side, 0 in the middle."""
    return ((np.arange(side) + 0.5) / side - 0.5).astype(np.float32)


def _moved(photos: Float32, moves: Float32) -> Float32:
    count, side = photos.shape[:2]
    across = _sampling(moves[:, :2], side)
    along = _sampling(moves[:, 2:], side)
    rows = (along @ photos.reshape(count, side, -1)).reshape(photos.shape)
    # transposed, so that each photo takes one product of matrices instead of `side` small ones
    columns = across @ rows.transpose(0, 2, 1, 3).reshape(count, side, -1)
    return np.ascontiguousarray(columns.reshape(photos.shape).transpose(0, 2, 1, 3), dtype=np.float32)


def _sampling(moves: Float32, side: int) -> Float32:
    """Return the weights of the old pixels in each new one, in one direction, shape (n, side, side)."""
    place = _places(side)
    at = ((place * (1 + moves[:, 1:]) + moves[:, :1] + 0.5) * side - 0.5).clip(0, side - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(at[:, :, None] - np.arange(side))), dtype=np.float32)


def _compared(one: Float32, other: Float32, moves: Float32) -> Float32:
    correlation, gain = _correlation(one, other)
    inner = slice(_BORDER, _SIDE - _BORDER)
    one, other = (photos - photos.mean(axis=(1, 2, 3), keepdims=True) for photos in (one, other))
    rest = (other - gain[:, None, None, None] * one)[:, inner, inner]
    same = (
        (correlation >= LEAST_LIKENESS)
        & (gain >= _GAIN[0])
        & (gain <= _GAIN[1])
        & (np.abs(moves).max(axis=1, initial=0) <= _MOVED)
        & (_largest_part(rest, _PART) <= _LEFT_OVER)
        & (_left_over_share(rest, other[:, inner, inner]) <= _LEFT_OVER_SHARE)
    )
    return np.where(same, np.minimum(correlation, 1), 0).astype(np.float32)


def _correlation(one: Float32, other: Float32) -> tuple[Float32, Float32]:
    """Return the correlation of pairs, and the contrast of the second relative to the first; both of shape (n,)."""
    left, right = (photos.reshape(len(photos), -1) for photos in (one, other))
    left = left - left.mean(axis=1, keepdims=True)
    right = right - right.mean(axis=1, keepdims=True)
    shared, own, others = (np.einsum("np,np->n", *pair) for pair in ((left, right), (left, left), (right, right)))
    # a photo without any detail resembles none
    return shared / np.sqrt(np.maximum(own * others, 1e-6)), shared / np.maximum(own, 1e-6)


def _largest_part(rest: Float32, part: int) -> Float32:
    """Return the largest mean difference of any part x part pixels, shape (n,)."""
    return np.asarray(np.sqrt((_means(rest, part) ** 2).mean(axis=-1)).max(axis=(1, 2)))


def _left_over_share(rest: Float32, photos: Float32) -> Float32:
    """Return the largest difference of any quarter, relative to the photo's own steps there; shape (n,)."""
    down, right = np.gradient(photos, axis=(1, 2))
    quarter = photos.shape[1] // 2
    steps = _means(np.asarray(down**2 + right**2, dtype=np.float32), quarter).mean(axis=-1)
    # at half the side, edges that are off by a fraction of a pixel average out
    left = _means(_means(rest, 2) ** 2, quarter // 2).mean(axis=-1)
    return np.asarray(np.sqrt(left / (steps + _NOISE**2)).max(axis=(1, 2)))


def _means(values: Float32, part: int) -> Float32:
    """Return the mean of every part x part pixels, shape (n, side // part, side // part, channels)."""
    count, side, _, channels = values.shape
    parts = side // part
    whole = values[:, : parts * part, : parts * part]
    return np.asarray(whole.reshape(count, parts, part, parts, part, channels).mean(axis=(2, 4)))

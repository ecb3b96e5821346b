"""A perceptual hash of photos, and the pairs of photos whose hashes nearly agree.

The hash changes little when a photo is saved again, resized, slightly cropped or brightened. It consists of the signs
of the lowest frequencies (DCT) of brightness and colour, after Zauner, "Implementation and Benchmarking of Perceptual
Image Hash Functions", 2010, with the colours added. Sorting several rotations of the bits brings hashes that nearly
agree together, after Manku, Jain and Das Sarma, "Detecting Near-Duplicates for Web Crawling", WWW 2007.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.fft import dctn

from training.images import Pixels
from training.utils.arrays import Bool, Float32, Int64

__all__ = [
    "DIFFERENT",
    "SMALL",
    "Hashes",
    "among_best",
    "different_bits",
    "meetings",
    "photo_hashes",
    "shrunk",
    "small_photos",
]

Hashes = npt.NDArray[np.uint64]

#: Side in pixels of the photos that are hashed.
SMALL = 16

#: Pixels that are shrunk at once: 13 MB as float32.
_AT_ONCE = 1 << 20
_BRIGHTNESS = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601
_BITS = 64
# any three differing bits leave one of these rotations with its first 16 bits untouched (pigeonhole)
_ROTATIONS = 16
# neighbours compared in each order, and most pairs per photo: this bounds the work if thousands look alike
_WINDOW = 32
#: None of 1,400 real photos that were cropped by up to 3 % a side, brightened and saved again differed in more than 14
#: bits; pairs that differ in more are not compared.
DIFFERENT = 16


def shrunk(squares: Pixels | Float32, side: int) -> Float32:
    """Resize squares by averaging areas.

    Parameters
    ----------
    squares : ndarray of uint8 or float32, shape (n, S, S, 3)
        Photos.
    side : int
        The new side in pixels.

    Returns
    -------
    ndarray of float32, shape (n, side, side, 3)
        In the units of `squares`.
    """
    weights = _areas(squares.shape[1], side)
    small = np.empty((len(squares), side, side, 3), dtype=np.float32)
    count = max(1, _AT_ONCE // squares.shape[1] ** 2)
    for start in range(0, len(squares), count):
        block = squares[start : start + count].astype(np.float32)
        rows = np.tensordot(block, weights, axes=(1, 1))
        small[start : start + count] = np.tensordot(rows, weights, axes=(1, 1)).transpose(0, 2, 3, 1)
    return small


@cache
def _areas(size: int, side: int) -> Float32:
    """Return the share of each of `side` large pixels that each of `size` small ones covers."""
    edges = np.arange(side + 1) * size / side
    low = np.maximum(edges[:-1, None], np.arange(size))
    high = np.minimum(edges[1:, None], np.arange(1, size + 1))
    return np.asarray(np.maximum(high - low, 0) * side / size, dtype=np.float32)


def small_photos(squares: Pixels) -> Pixels:
    """Shrink squares to the size that is hashed, shape (n, 16, 16, 3), uint8.

    Sums of whole numbers are exact, so a photo becomes the same whatever photos are beside it.
    """
    side = squares.shape[1]
    # float32 holds whole numbers up to 2^24
    exact = np.float32 if 255 * side**2 <= 2**24 else np.float64
    weights = np.rint(_areas(side, SMALL).astype(np.float64) * side).astype(exact)
    small = np.empty((len(squares), SMALL, SMALL, 3), dtype=np.uint8)
    count = max(1, _AT_ONCE // side**2)
    for start in range(0, len(squares), count):
        rows = np.tensordot(squares[start : start + count].astype(exact), weights, axes=(1, 1))
        sums = np.tensordot(rows, weights, axes=(1, 1)).transpose(0, 2, 3, 1)
        small[start : start + count] = np.rint(sums.astype(np.float64) / side**2)
    return small


def photo_hashes(small: Pixels) -> Hashes:
    """Return the hash of what each photo shows.

    Parameters
    ----------
    small : ndarray of uint8, shape (n, 16, 16, 3)
        From :func:`small_photos`.

    Returns
    -------
    ndarray of uint64, shape (n,)
        44 bits of brightness and 10 of each of two colour differences. Brightening keeps them.
    """
    pixels = small.astype(np.float32)
    bright = pixels @ _BRIGHTNESS
    bits = [_signs(bright, 8)[:, 1:], _signs(pixels[..., 2] - bright, 3), _signs(pixels[..., 0] - bright, 3)]
    # neighbouring frequencies depend on each other: an odd step spreads them over the word
    spread = np.concatenate(bits, axis=1)[:, np.arange(_BITS) * 37 % _BITS]
    return np.ascontiguousarray(np.packbits(spread, axis=1)).view(">u8")[:, 0].astype(np.uint64)


def _signs(values: Float32, most: int) -> Bool:
    """Return the signs of the frequencies whose horizontal and vertical number add up to at most `most`."""
    frequencies = sorted((row + column, row, column) for row in range(most + 1) for column in range(most + 1 - row))
    _, rows, columns = np.array(frequencies).T
    return np.asarray(dctn(values, axes=(1, 2))[:, rows, columns] > 0)


def meetings(hashes: Hashes) -> tuple[Int64, Int64]:
    """Find the pairs whose hashes nearly agree, without comparing all pairs.

    The hashes are sorted 16 times, each time by other bits first, and each is compared with the next 32 in that order:
    at most 512 N comparisons and 32 N pairs, however many look alike.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (N,)
        From :func:`photo_hashes`. Equal hashes keep their order.

    Returns
    -------
    first, second : ndarray of int64, shape (P,)
        Places in `hashes`, `first` < `second`; each pair once, the pairs with fewest different bits first.
    """
    first = second = np.empty(0, dtype=np.int64)
    for turn in range(_ROTATIONS):
        shift = np.uint64(turn * _BITS // _ROTATIONS)
        turned = (hashes << shift) | (hashes >> (np.uint64(_BITS) - shift)) if turn else hashes
        order = np.argsort(turned, kind="stable")
        ordered = hashes[order]
        pairs = [first * len(hashes) + second]
        for step in range(1, min(_WINDOW, len(hashes) - 1) + 1):
            near = np.flatnonzero(_ones(ordered[step:] ^ ordered[:-step]) <= DIFFERENT)
            one, other = order[near], order[near + step]
            pairs.append(np.minimum(one, other) * len(hashes) + np.maximum(one, other))
        first, second = _each_once(pairs, len(hashes))
        nearest_first = np.argsort(_ones(hashes[first] ^ hashes[second]), kind="stable")
        first, second = first[nearest_first], second[nearest_first]
        best = among_best(first, second, _WINDOW)
        first, second = first[best], second[best]
    return first, second


def _each_once(pairs: list[Int64], count: int) -> tuple[Int64, Int64]:
    """Return the members of pairs, which are numbers of first * count + second; empties the list."""
    # much faster than np.unique, which hashes
    ordered = np.concatenate(pairs)
    pairs.clear()
    ordered.sort()
    first, second = np.divmod(ordered[np.diff(ordered, prepend=-1) != 0], max(count, 1))
    return first, second


def among_best(first: Int64, second: Int64, most: int) -> Bool:
    """Return which pairs are among the best of at least one of their members, shape (P,).

    Parameters
    ----------
    first, second : ndarray of int64, shape (P,)
        The two members of each pair; the best pairs first.
    most : int
        Number of pairs that each member keeps.
    """
    # an array of the pairs is what takes most memory here: none is wider than it must be, or lives longer
    largest = max(2 * len(first), first.max(initial=0), second.max(initial=0))
    members = np.empty((len(first), 2), dtype=np.int32 if largest <= np.iinfo(np.int32).max else np.int64)
    members[:, 0], members[:, 1] = first, second
    order = np.argsort(members.ravel(), kind="stable")
    is_start = np.diff(members.ravel()[order], prepend=-1) != 0
    rank = np.arange(len(order), dtype=members.dtype)
    rank -= np.maximum.accumulate(np.where(is_start, rank, 0))
    best = np.empty(len(order), dtype=np.bool_)
    best[order] = rank < most
    return np.asarray(best.reshape(-1, 2).any(axis=1))


def different_bits(hashes: Hashes, other: np.uint64) -> Int64:
    """Return in how many bits each hash differs from one other, shape (N,).

    Parameters
    ----------
    hashes : ndarray of uint64, shape (N,)
        From :func:`photo_hashes`.
    other : uint64
        The other one.
    """
    return _ones(hashes ^ other)


def _ones(words: Hashes) -> Int64:
    """Count the bits that are set; numpy before 2.0 has no function for it."""
    parts = np.ascontiguousarray(words).view(np.uint16).reshape(len(words), 4)
    return np.asarray(_ones_of_16_bits()[parts].sum(axis=1, dtype=np.int64))


@cache
def _ones_of_16_bits() -> npt.NDArray[np.uint8]:
    bits = np.unpackbits(np.arange(2**16, dtype=np.uint16).view(np.uint8)).reshape(-1, 16)
    return np.asarray(bits.sum(axis=1), dtype=np.uint8)

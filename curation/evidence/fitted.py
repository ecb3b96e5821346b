"""What judging a run learned, kept by name: new listings are judged by the same numbers, and nothing is learned again.

A stage asks for its numbers by name and says how they are learned. While a run is made, they are learned and kept; with
new listings they are those that were kept. So there is one way to judge a listing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from curation.evidence.text_features import Vocabulary
from curation.run.folder import RunFolder
from training.utils.array_files import open_arrays, write_arrays
from training.utils.files import whole_file

__all__ = [
    "FORMAT",
    "Fit",
    "Fitted",
    "OtherFormatError",
    "Values",
    "fitted_file",
    "keep_vocabulary",
    "known_vocabulary",
    "sparse_from",
    "sparse_values",
    "text_from",
    "text_values",
    "unkept",
]

Held = TypeVar("Held")
#: Arrays by name.
Values = Mapping[str, npt.NDArray[Any]]
#: A name, and what learns the values of that name → those values.
Fit = Callable[[str, Callable[[], Values]], Values]

#: Counts up with every change of what is kept, or of how it is used: another number is not read.
FORMAT = 1
#: The name of the array that holds it.
_FORMAT = "format"
#: Between the name of what was learned and that of one of its arrays.
_SEPARATOR = "|"


def unkept(_: str, learn: Callable[[], Values]) -> Values:
    """Learn the values, and keep nothing."""
    return learn()


def fitted_file(run: RunFolder) -> Path:
    """Return the file of a run that keeps what judging it learned."""
    return run.training_folder / "fitted.npz"


class OtherFormatError(Exception):
    """What a run learned was kept by a version that keeps it in another way.

    Parameters
    ----------
    found : str
        The number of its format.
    """

    def __init__(self, found: str) -> None:
        super().__init__(f"format {found}")


class Fitted:
    """Values that stages learned, by the name of the stage.

    Parameters
    ----------
    known : mapping of str to mapping of str to ndarray, optional
        What an earlier run learned. By default nothing is known, and everything that is learned is kept.

    Attributes
    ----------
    applied : bool
        Whether the values are those of an earlier run. Then none is learned.
    """

    def __init__(self, known: Mapping[str, Values] | None = None) -> None:
        self.applied = known is not None
        self._values: dict[str, Values] = dict(known or {})
        self._held: dict[str, Any] = {}

    def __call__(self, name: str, learn: Callable[[], Values]) -> Values:
        """Return the values of a name: the known ones, or those that `learn` returns, which are kept.

        Raises
        ------
        ValueError
            If they should be known and are not.
        """
        if not self.applied:
            self._values[name] = learn()
        elif name not in self._values:
            raise ValueError(f"nothing was learned about {name!r}")
        return self._values[name]

    def __contains__(self, name: str) -> bool:
        """Return whether values of this name are known."""
        return name in self._values

    def __getitem__(self, name: str) -> Values:
        """Return the values of a name that is known."""
        return self._values[name]

    def held(self, name: str, make: Callable[[], Held]) -> Held:
        """Return what is made of known values, and hold it in memory: the next listing needs it again."""
        if name not in self._held:
            self._held[name] = make()
        made: Held = self._held[name]
        return made

    def save(self, file: Path) -> None:
        """Write all values as ``.npz``, whole or not at all. It loads without pickle."""
        arrays = {
            f"{name}{_SEPARATOR}{part}": np.asarray(array)
            for name, values in self._values.items()
            for part, array in values.items()
        }
        arrays[_FORMAT] = np.array(FORMAT)
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as temporary:
            write_arrays(temporary, arrays)

    @classmethod
    def load(cls, file: Path) -> Fitted:
        """Read what :meth:`save` wrote, to be applied.

        Raises
        ------
        OtherFormatError
            If another version wrote it.
        ValueError
            If the file is damaged.
        OSError
            If it can't be read.
        """
        known: dict[str, dict[str, npt.NDArray[Any]]] = {}
        with open_arrays(file) as arrays:
            found = str(arrays[_FORMAT]) if _FORMAT in arrays else "0"
            if found != str(FORMAT):
                raise OtherFormatError(found)
            for key in (each for each in arrays if each != _FORMAT):
                name, _, part = key.rpartition(_SEPARATOR)
                known.setdefault(name, {})[part] = arrays[key]
        return cls(known)


def sparse_values(matrix: csr_matrix) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a sparse matrix; the numbers as float32."""
    matrix = csr_matrix(matrix)
    return {
        "data": matrix.data.astype(np.float32),
        "indices": matrix.indices.astype(np.int32),
        "indptr": matrix.indptr.astype(np.int64),
        "shape": np.array(matrix.shape, dtype=np.int64),
    }


def sparse_from(values: Values) -> csr_matrix:
    """Return the matrix that :func:`sparse_values` took apart."""
    parts = (values["data"].astype(np.float64), values["indices"], values["indptr"])
    return csr_matrix(parts, shape=tuple(values["shape"].tolist()))


def text_values(texts: list[str]) -> npt.NDArray[np.uint8]:
    """Return texts without line breaks as bytes: an array of text is as wide as its longest one.

    Examples
    --------
    >>> text_from(text_values(["cable", "über"])), text_from(text_values([]))
    (['cable', 'über'], [])
    """
    return np.frombuffer("".join(f"{text}\n" for text in texts).encode("utf-8", "surrogatepass"), dtype=np.uint8)


def text_from(values: npt.NDArray[Any]) -> list[str]:
    """Return the texts of :func:`text_values`."""
    return values.astype(np.uint8).tobytes().decode("utf-8", "surrogatepass").split("\n")[:-1]


def keep_vocabulary(fitted: Fitted, name: str, vocabulary: Vocabulary) -> None:
    """Keep the words of titles or texts.

    Parameters
    ----------
    fitted : Fitted
        Keeps them.
    name : str
        Of what they belong to.
    vocabulary : Vocabulary
        The words.
    """
    of_words, of_parts = vocabulary.weights
    values: Values = {
        "words": text_values(vocabulary.words),
        "pairs": vocabulary.pairs,
        "parts": text_values(vocabulary.parts),
        "weights of words": of_words,
        "weights of parts": of_parts,
    }
    fitted(_vocabulary(name), lambda: values)


def known_vocabulary(fitted: Fitted, name: str) -> Vocabulary:
    """Return what :func:`keep_vocabulary` kept; made once and held.

    Parameters
    ----------
    fitted, name
        As there.
    """

    def make() -> Vocabulary:
        values = fitted[_vocabulary(name)]
        weights = (values["weights of words"], values["weights of parts"])
        return Vocabulary(text_from(values["words"]), values["pairs"], text_from(values["parts"]), weights)

    return fitted.held(_vocabulary(name), make)


def _vocabulary(name: str) -> str:
    return f"vocabulary of {name}"

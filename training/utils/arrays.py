"""Names of array types, which say the precision; a docstring says the shape."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Bool", "Float32", "Float64", "Int8", "Int64"]

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
Int64 = npt.NDArray[np.int64]

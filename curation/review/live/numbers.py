"""Numbers that a browser sends: what no page means is refused here, before anything computes with it."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

__all__ = ["LARGEST", "read_json", "whole"]

#: Whole numbers that a page can hold exactly.
LARGEST = 2**53
#: Digits of a place: no run has more listings.
_DIGITS = 12


def read_json(body: bytes) -> Any:
    """Return what JSON says whose numbers are finite, and exact where they are whole.

    Parameters
    ----------
    body : bytes
        What came.

    Raises
    ------
    ValueError
        If it is no JSON, or has another number. `RecursionError` if it is nested too deeply.
    """
    return json.loads(body.decode(), parse_constant=_refuse, parse_float=_finite, parse_int=_exact)


def whole(text: str) -> int:
    """Return the number that digits stand for, 0 or more: no sign, blank, underscore or digit of another script.

    Raises
    ------
    ValueError
        If the text is anything else, or longer than any place.
    """
    if not (text.isascii() and text.isdigit() and len(text) < _DIGITS):
        raise ValueError(text)
    return int(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _exact(text: str) -> int:
    # very long ones take long to read
    number = int(text) if len(text) <= len(str(-LARGEST)) else _refuse(text)
    return number if abs(number) <= LARGEST else _refuse(text)

"""The base of all errors that a person can cause or fix.

:mod:`curation.errors` shows the whole tree. A message puts names of the API into backquotes (`` `folds` ``,
`` `device="cpu"` ``, `` `find_issues()` ``) and never names a flag or a command; the command line spells these itself.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
import math
import numbers
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

__all__ = [
    "CurateError",
    "DivergedError",
    "InputError",
    "MachineError",
    "check_choice",
    "check_path",
    "check_range",
    "check_types",
    "checked",
    "closest",
    "short_repr",
    "some",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _is_made_of(name: str) -> Callable[[Any], bool]:
    # by name: errors are below whatever they are about
    return lambda value: name in (base.__name__ for base in type(value).__mro__)


#: The types that an annotation may name, and whether a value is one of them. Other annotations are not checked.
_TYPES: dict[str, Callable[[Any], bool]] = {
    "None": lambda value: value is None,
    # NumPy's, too
    "bool": lambda value: type(value).__name__ in ("bool", "bool_"),
    "int": _is_whole,
    "float": _is_number,
    "str": lambda value: isinstance(value, str),
    "Path": lambda value: isinstance(value, os.PathLike),
    **{name: _is_made_of(name) for name in ("Execution", "PhotoCache", "Recipe", "Run")},
}
_WORDS = {"int": "a whole number", "float": "a number", "bool": "True or False", "str": "text", "Path": "a path"}
#: Characters of what an error quotes.
_LONGEST_GOT = 2000
#: Arguments that name what is only read, on this machine or elsewhere, and where a copy goes.
_MAY_BE_URLS = frozenset({"source", "target"})
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/{1,3}[^/]")
#: Of a path: bytes of one name, and of all of it (Linux).
_LONGEST_NAME, _LONGEST_PATH = 255, 4095


class CurateError(Exception):
    """A sensible request failed (exit code 1).

    Parameters
    ----------
    message : str
        One line.
    parameter : str, optional
        Which argument of the API is at fault, e.g. ``"learning_rate"``.

    Attributes
    ----------
    parameter : str or None
        The same; None if it is no single argument.
    """

    exit_code = 1

    def __init__(self, message: str, *, parameter: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter


class DivergedError(CurateError):
    """Training diverged: its loss is NaN or infinite."""


class MachineError(CurateError):
    """The machine refused: a full or failing disk, missing rights, too little memory. What was done so far stays."""

    exit_code = 2


class InputError(CurateError):
    """The request can't be carried out as it stands (exit code 2).

    Parameters
    ----------
    what : str
        What is wrong, e.g. ``"listings.csv has no column 'label'"``.
    got, wanted : str, optional
        The value, and what would have been accepted.
    fix : str, optional
        What to do next.
    parameter : str, optional
        Which argument of the API is at fault.

    Attributes
    ----------
    what : str
        The same: what is wrong, without the details.

    Examples
    --------
    >>> error = InputError(
    ...     "unknown model", got="resnet81", wanted="a torchvision classifier", fix="Try resnet18.", parameter="model"
    ... )
    >>> print(error)
    unknown model: got resnet81; wanted a torchvision classifier. Try resnet18.
    >>> error.parameter
    'model'
    """

    exit_code = 2

    def __init__(
        self, what: str, *, got: str = "", wanted: str = "", fix: str = "", parameter: str | None = None
    ) -> None:
        # a name may be as long as its file
        got = got if len(got) <= _LONGEST_GOT else f"{got[:_LONGEST_GOT]}… ({len(got):,} characters)"
        details = "; ".join(part for part in (got and f"got {got}", wanted and f"wanted {wanted}") if part)
        message = f"{what}: {details}" if details else what
        super().__init__(f"{message}. {fix}" if fix else message, parameter=parameter)
        self.what = what


def checked(function: _Function) -> _Function:
    """Let a function of the API refuse arguments of another type than its signature names; see :func:`check_types`.

    Examples
    --------
    >>> @checked
    ... def demo(listings: int = 600) -> int:
    ...     return listings
    >>> demo(listings="many")
    Traceback (most recent call last):
    ...
    training.errors.InputError: `listings` has the wrong type: got str 'many'; wanted a whole number
    """
    signature = inspect.signature(function)
    annotations = {name: str(parameter.annotation) for name, parameter in signature.parameters.items()}

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:
            if elsewhere := _in_settings(signature, kwargs):
                raise TypeError(f"{function.__name__}() {elsewhere}") from None
            # too many arguments, or unknown ones: Python's own message names them
            return function(*args, **kwargs)
        check_types(annotations, given)
        return function(*args, **kwargs)

    return cast("_Function", call)


def _in_settings(signature: inspect.Signature, given: Iterable[str]) -> str:
    """Return which settings have an argument that a function has not itself; empty if none does."""
    for unknown in (name for name in given if name not in signature.parameters):
        for name, parameter in signature.parameters.items():
            settings = parameter.default
            if dataclasses.is_dataclass(settings) and unknown in {each.name for each in dataclasses.fields(settings)}:
                kind = type(settings).__name__
                return f"has no argument {unknown!r} of its own: write {name}={kind}({unknown}=...)"
    return ""


def check_types(annotations: Mapping[str, str], values: Mapping[str, Any]) -> None:
    """Refuse values that are not of the types that their annotations name, and paths that no system takes.

    Parameters
    ----------
    annotations : mapping of str to str
        Of each name. Those that name other types, e.g. a sequence, are not checked.
    values : mapping of str
        Of those names.

    Raises
    ------
    InputError
    """
    for name, value in values.items():
        types = annotations.get(name, "").split(" | ")
        if name in _MAY_BE_URLS and isinstance(value, str) and "://" in value:
            continue
        if name in _MAY_BE_URLS and isinstance(value, str | os.PathLike) and (url := _URL.match(os.fspath(value))):
            raise InputError(
                "the URL has lost a slash, or is no text",
                got=f"{url[1]}:/…",
                wanted=f"{url[1]}://… as a text",
                fix="Write both slashes.",
                parameter=name,
            )
        if "Path" in types and isinstance(value, str | os.PathLike):
            check_path(value, f"the path `{name}`", parameter=name)
        if not all(kind in _TYPES for kind in types):
            continue
        if not any(_TYPES[kind](value) for kind in types):
            raise InputError(
                f"`{name}` has the wrong type",
                got=f"{type(value).__name__} {short_repr(value)}",
                wanted=" or ".join(_WORDS.get(kind, kind) for kind in types if kind != "None"),
                parameter=name,
            )


def check_path(path: str | os.PathLike[str], what: str = "the path", *, parameter: str | None = None) -> None:
    """Refuse a path that no system takes, which would end in an error of the system wherever it is first used.

    So is a URL, also as a path, which has lost one of its slashes: locks, renames and memory maps need a file system.

    Parameters
    ----------
    path : str or PathLike
        The path.
    what : str
        What messages call it.
    parameter : str, optional
        The argument at fault.

    Raises
    ------
    InputError

    Examples
    --------
    >>> check_path(f"{'x' * 300}.csv")
    Traceback (most recent call last):
    ...
    training.errors.InputError: the path is too long: got \
'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…; wanted names of at most 255 bytes, 4095 in all
    """
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:
        raise InputError(
            f"{what} holds half of a character", got=short_repr(os.fspath(path)), parameter=parameter
        ) from None
    if url := _URL.match(os.fspath(path)):
        raise InputError(
            f"{what} is a URL",
            got=f"{url[1]}://…",
            wanted="a file or folder of this machine",
            fix="Name one here, and copy it there when it is complete: a run by `copy_run()`.",
            parameter=parameter,
        )
    if b"\0" in name:
        raise InputError(f"{what} holds a NUL character", got=short_repr(os.fspath(path)), parameter=parameter)
    if len(name) > _LONGEST_PATH or max(map(len, name.split(os.fsencode(os.sep)))) > _LONGEST_NAME:
        wanted = f"names of at most {_LONGEST_NAME} bytes, {_LONGEST_PATH} in all"
        raise InputError(f"{what} is too long", got=short_repr(os.fspath(path)), wanted=wanted, parameter=parameter)


def short_repr(value: object, length: int = 60) -> str:
    """Return how Python writes a value, cut off after `length` characters.

    Examples
    --------
    >>> short_repr("listings", 5)
    "'list…"
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # of a number of thousands of digits, or what is nested too deeply
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= length else f"{text[:length]}…"


def check_choice(
    parameter: str, what: str, value: str, choices: Sequence[str], meant: Mapping[str, str] | None = None
) -> None:
    """Refuse a `value` that is not one of `choices`; `what` names the `parameter` in words.

    `meant` has other words for choices, which are suggested.
    """
    if value not in choices:
        named = (meant or {}).get(value.lower(), value)
        wanted, fix = ", ".join(choices), closest(named, choices)
        raise InputError(f"unknown {what}", got=value, wanted=wanted, fix=fix, parameter=parameter)


def check_range(parameter: str, what: str, value: float | None, low: float, high: float) -> None:
    """Refuse a `value` that is not from `low` to `high`; None passes; `what` names the `parameter` in words."""
    if value is not None and not low <= value <= high:
        wanted = f"at least {low}" if high == math.inf else f"{low} to {high}"
        raise InputError(f"the {what} is out of range", got=str(value), wanted=wanted, parameter=parameter)


def some(values: Iterable[object], limit: int = 5) -> str:
    """Return up to `limit` of the values as text, and how many more there are.

    Examples
    --------
    >>> some(range(8))
    '0, 1, 2, 3, 4, +3 more'
    """
    listed = [str(value) for value in values]
    more = [f"+{len(listed) - limit} more"] if len(listed) > limit else []
    return ", ".join(listed[:limit] + more)


def closest(name: str, names: Sequence[str]) -> str:
    """Return ``"Did you mean 'x'?"`` for the one of `names` that is nearest to `name`, or an empty text.

    Examples
    --------
    >>> closest("labl", ["id", "label", "price"])
    "Did you mean 'label'?"
    """
    lowered = {other.lower(): other for other in names}
    nearest = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    return f"Did you mean '{lowered[nearest[0]]}'?" if nearest else ""

"""How the command line spells what the library calls by its name in the API.

A message of the library names arguments and functions in backquotes, as Python has them. Here they become what a person
types: `` `folds` `` is ``--folds``, `` `device="cpu"` `` is ``--device cpu``, `` `find_issues(listings)` `` is
``curate find-issues DATASET``.
"""

from __future__ import annotations

import ast
import re
import shlex
from functools import partial
from pathlib import Path

__all__ = ["option_name", "spelled"]

_QUOTED = re.compile(r"`([^`]+)`")

#: What the general rule, dashes for underscores, would get wrong.
_OPTIONS = {"cache": "--cache-dir", "columns": "--column", "learning_rate": "--lr", "new_classes": "--new-class"}
_COMMANDS = {
    "diff": "curate runs diff",
    "open_run": "--run",
    "review_links": "curate review --link",
    "review_page": "curate review --html",
}
_PLACEHOLDERS = {"listings": "DATASET", "source": "DATASET"}
#: Functions of the API that are no command of their own: only what they are given is typed.
_READS = ("read_listings",)
#: What follows a command that worked on a run, and is not advised: the message says which run anyway.
_WORKED = (" (process ", " was interrupted")
#: Commands that are about a run: the latest, unless they name one.
_OF_RUN = (
    *("apply_fixes", "audit", "retrain", "review", "review_links", "review_page"),
    *("status", "undo", "verify"),
)


def option_name(parameter: str) -> str:
    """Return how an argument of the API is typed.

    Examples
    --------
    >>> option_name("image_size"), option_name("learning_rate")
    ('--image-size', '--lr')
    """
    return _OPTIONS.get(parameter, f"--{parameter.replace('_', '-')}")


def spelled(message: str, run: Path | None = None) -> str:
    """Return a message of the library with its names as they are typed; other text in backquotes stays as it is.

    Parameters
    ----------
    message : str
        The message.
    run : Path, optional
        The folder of a run, which every command about a run names that names none yet.

    Examples
    --------
    >>> spelled('Choose a smaller `image_size`, or `device="cpu"`.')
    'Choose a smaller --image-size, or --device cpu.'
    >>> spelled("Accept the sure ones with `apply_fixes(accept_suggestions=True)`.")
    'Accept the sure ones with curate apply-fixes --accept-suggestions.'
    >>> spelled("Map it with `columns={'price': 'NAME'}`.")
    'Map it with --column price=NAME.'
    >>> spelled("Add `fetch=['https://shop.com/', 's3://photos/']`.")
    'Add --fetch https://shop.com/ --fetch s3://photos/.'
    >>> spelled("Continue it with `find_issues(read_listings('my shop'), run='runs/shop/1')`.")
    "Continue it with curate find-issues 'my shop' --run runs/shop/1."
    >>> spelled("Next: `retrain(compare=True)`", Path("runs/my shop/1"))
    "Next: curate retrain --run 'runs/my shop/1' --compare"
    """
    return _QUOTED.sub(partial(_typed, run), message)


def _typed(run: Path | None, quoted: re.Match[str]) -> str:
    run = None if quoted.string.startswith(_WORKED, quoted.end()) else run
    try:
        # as arguments of a call, `name=value` is an expression, too
        call = ast.parse(f"_({quoted[1]})", mode="eval").body
        if not isinstance(call, ast.Call):
            return quoted[0]
        if not call.args:
            return " ".join(_options(call))
        (name,) = call.args
        return option_name(name.id) if isinstance(name, ast.Name) and not call.keywords else _command(name, run)
    except (SyntaxError, ValueError):
        return quoted[0]


def _command(call: ast.expr, run: Path | None = None) -> str:
    """Return a call as a command, e.g. ``curate retrain --compare``."""
    if not isinstance(call, ast.Call):
        raise ValueError(ast.unparse(call))
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
    arguments = [_word(value) for value in call.args]
    if name in _READS:
        return " ".join(arguments)
    command = _COMMANDS.get(name, f"curate {name.replace('_', '-')}")
    if run is not None and name in _OF_RUN and not arguments and all(each.arg != "run" for each in call.keywords):
        arguments = [f"--run {shlex.quote(str(run))}"]
    return " ".join([command, *arguments, *_options(call)])


def _options(call: ast.Call) -> list[str]:
    """Return keyword arguments as options."""
    words = []
    for keyword in call.keywords:
        name, value = option_name(str(keyword.arg)), keyword.value
        if isinstance(value, ast.Dict):
            mapped = ast.literal_eval(value)
            words += [f"{name} {shlex.quote(f'{ours}={theirs}')}" for ours, theirs in mapped.items()]
        elif isinstance(value, ast.List):
            words += [f"{name} {_word(each)}" for each in value.elts]
        elif isinstance(value, ast.Constant) and isinstance(value.value, bool):
            words.append(name if value.value else f"--no-{name.removeprefix('--')}")
        else:
            words.append(f"{name} {_word(value)}")
    return words


def _word(value: ast.expr) -> str:
    """Return one argument as it is typed; a name that stands for a value is written large."""
    if isinstance(value, ast.Name):
        return _PLACEHOLDERS.get(value.id, value.id.upper())
    if isinstance(value, ast.Call):
        return _command(value)
    return shlex.quote(str(ast.literal_eval(value)))

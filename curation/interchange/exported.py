"""A run, written for another tool."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any, cast

from curation.errors import InputError, check_range
from curation.interchange.contract import FORMATS, Exported, check_output, format_of
from curation.rendering.words import joined
from curation.run.folder import RunFolder

__all__ = ["export_run"]


def export_run(run: RunFolder, format: str, output: Path | None, options: dict[str, Any]) -> Exported:
    """Write a run for another tool.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    format : str
        One of :data:`curation.interchange.contract.FORMATS`.
    output : Path, optional
        A new or empty folder; by default one with the name of the format in the current one.
    options : dict
        Arguments that only some formats take. None and False are those that were not given.

    Raises
    ------
    InputError
        If there is no such format, it does not take an argument, or the folder can't be written.
    """
    chosen = format_of(format)
    given = {name: value for name, value in options.items() if value not in (None, False)}
    for name in given:
        if name not in chosen.options:
            takes = [each.name for each in FORMATS.values() if name in each.options]
            raise InputError(
                f"`{name}` has no effect in {format}",
                wanted=f"it with {joined(takes)}",
                fix="Leave it out.",
                parameter=name,
            )
    if "top" in given and "all" in given:
        raise InputError("`top` has no effect with `all`", fix="Leave one of them out.", parameter="top")
    check_range("top", "number of listings", given.get("top"), 1, math.inf)
    folder = Path(format) if output is None else output
    check_output(folder)
    return cast("Exported", importlib.import_module(chosen.module).write(run, folder, **given))

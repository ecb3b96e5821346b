"""A run, written for another tool."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any, cast

from curation.errors import InputError, check_range
from curation.interchange.contract import Exported, Format, check_output, format_of, only
from curation.run.folder import RunFolder
from training.utils.progress import SILENT, Reporter

__all__ = ["export_run"]


def export_run(
    run: RunFolder, format: str, output: Path | None, options: dict[str, Any], reporter: Reporter = SILENT
) -> Exported:
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
    reporter : Reporter, optional
        Shows progress.

    Raises
    ------
    InputError
        If there is no such format, it does not take an argument or lacks one, or its target can't be written.
    """
    chosen = format_of(format)
    given = only(chosen, {"output": output, **options}, _takes)
    if "top" in given and "all" in given:
        raise InputError("`top` has no effect with `all`", fix="Leave one of them out.", parameter="top")
    check_range("top", "number of listings", given.get("top"), 1, math.inf)
    write = importlib.import_module(chosen.module).write
    given.pop("output", None)
    if chosen.shows:
        given["reporter"] = reporter
    if chosen.into == "folder":
        folder = Path(format) if output is None else output
        check_output(folder)
        return cast("Exported", write(run, folder, **given))
    if chosen.into not in given:
        raise InputError(
            f"{format} needs a {chosen.into}",
            fix=f"Say which with `{chosen.into}`.",
            parameter=chosen.into,
        )
    return cast("Exported", write(run, given.pop(chosen.into), **given))


def _takes(format: Format) -> tuple[str, ...]:
    return (*format.options, "output" if format.into == "folder" else format.into)

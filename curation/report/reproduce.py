"""How to reproduce the run: commands, settings, versions, seeds, hashes."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curation.comparison.result import Comparison
from curation.run.shapes import started_by
from training.utils.units import duration

__all__ = ["reproduce"]


def reproduce(run: Path, record: Mapping[str, Any], comparison: Comparison | None) -> dict[str, Any]:
    """Return the commands and facts that reproduce the run.

    Parameters
    ----------
    run : Path
        Folder of the run.
    record : mapping
        ``run.json``.
    comparison : Comparison or None
        Of the run, if there is one.

    Returns
    -------
    dict
        ``commands``; ``facts`` and ``settings``, pairs of a name and a value.
    """
    hashes = record["sha256"]
    facts = [
        ("Table, SHA-256", hashes["table"]),
        ("Photos, SHA-256", hashes["images"]),
        ("Seed", record["seed"]),
        ("Started", _time(record["started"])),
        ("Finished", _time(record.get("finished"))),
        ("Time spent", _spent(record["seconds"])),
        ("Versions", _pairs(record["versions"], " ")),
    ]
    commands = [started_by(record) or "curate"]
    settings = [("find-issues", _settings(record["settings"]))]
    if comparison is not None:
        # the run's journal has what was decided, accepted suggestions included
        command = comparison.command[1:] or (
            "retrain",
            "--compare",
            "--seeds",
            str(len(comparison.seeds)),
            "--run",
            str(run),
        )
        commands += [shlex.join(["curate", "apply-fixes", "--run", str(run)]), shlex.join(["curate", *command])]
        facts += [
            ("Compared", _time(comparison.made)),
            ("Seeds of the comparison", ", ".join(map(str, comparison.seeds))),
        ]
        settings.append(("retrain", _settings(comparison.settings)))
    return {
        "commands": commands,
        "facts": [(name, str(value)) for name, value in facts if value not in (None, "")],
        "settings": [(name, value) for name, value in settings if value],
    }


def _time(moment: str | None) -> str | None:
    """Return an ISO time as people write it, to the second."""
    if moment is None:
        return None
    day, _, rest = moment.partition("T")
    return f"{day} {rest[:8]} UTC" if rest.endswith("+00:00") else moment


def _spent(seconds: Mapping[str, float]) -> str:
    return ", ".join(f"{stage} {duration(spent)}" for stage, spent in seconds.items())


def _settings(settings: Any) -> str:
    """Return settings in one line, groups flattened; settings that were left open are left out."""
    if not isinstance(settings, Mapping):
        return str(settings)
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= value if isinstance(value, Mapping) else {name: value}
    return _pairs({name: value for name, value in flat.items() if value is not None}, " = ")


def _pairs(values: Mapping[str, Any], between: str) -> str:
    return ", ".join(f"{name}{between}{value}" for name, value in values.items())

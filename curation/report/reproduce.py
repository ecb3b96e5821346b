"""How to reproduce the run: commands, settings, versions, seeds, hashes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from curation.comparison.result import Comparison
from curation.run.folder import RunFolder
from curation.run.manifests import manifest_of, transaction_of
from curation.run.shapes import started_by
from training.utils.units import duration

__all__ = ["reproduce"]


def reproduce(run: RunFolder, record: Mapping[str, Any], comparison: Comparison | None) -> dict[str, Any]:
    """Return the commands and facts that reproduce the run.

    Parameters
    ----------
    run : RunFolder
        The run.
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
    applied = list(_applied(run)) or ([] if comparison is None else [[]])
    commands += [shlex.join(["curate", "apply-fixes", "--run", str(run.folder), *each]) for each in applied]
    # no command makes these again
    if people := sum(each.source != "suggestion" for each in run.holding_decisions().decisions.values()):
        facts.append(("Decisions of people", f"{people:,}, of a review or a table; {run.journal.name} has them"))
    if comparison is not None:
        command = comparison.command[1:] or (
            "retrain",
            "--compare",
            "--seeds",
            str(len(comparison.seeds)),
            "--run",
            str(run.folder),
        )
        commands.append(shlex.join(["curate", *command]))
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


def _applied(run: RunFolder) -> Iterator[list[str]]:
    """Yield the options of every apply-fixes that accepted suggestions, and of the one that wrote ``cleaned/``."""
    if not run.cleaned.exists():
        return
    written = {transaction_of(version): version for version in run.all_versions()}
    standing = [step.transaction for step in run.read_journal().standing_versions()]
    earlier = [written[each] for each in standing[:-1] if each in written and written[each] != run.cleaned]
    for version in [*earlier, run.cleaned]:
        manifest = manifest_of(version)
        added = manifest.get("decisions_added")
        # it may have been written by anybody
        sources = [each.get("source") for each in added if isinstance(each, dict)] if isinstance(added, list) else []
        accepts = "suggestion" in sources
        if accepts or version == run.cleaned:
            yield list(_options(manifest, accepts=accepts))


def _options(manifest: Mapping[str, Any], *, accepts: bool) -> Iterator[str]:
    if accepts:
        yield "--accept-suggestions"
        # an earlier version of curate did not write what was asked for
        if (least := manifest.get("min_confidence")) is not None:
            yield from ("--min-confidence", str(least))
    if manifest.get("soft"):
        yield "--soft"
    for option, key in (("--format", "format"), ("--as-of", "as_of")):
        if manifest.get(key):
            yield from (option, str(manifest[key]))


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

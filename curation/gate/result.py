"""What a gate says, as a result of the public API."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # nosec B405 (writes XML, and parses none)
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from curation.rendering.results import Result

__all__ = ["CROSSED", "KEPT", "NOT_SHOWN", "Gate"]

KEPT = "kept"
CROSSED = "crossed"
#: The amount is beyond the bound, and a part of its interval is not.
NOT_SHOWN = "not shown"


@dataclass(frozen=True)
class Gate(Result):
    """A run against limits.

    Attributes
    ----------
    run : Path
        Its folder.
    baseline : Path or None
        That of the run that it is compared with.
    passed : bool
        Whether no limit is crossed.
    limits : DataFrame
        A row per limit, in the order in which they were given: ``limit``, ``amount``, ``low``, ``high`` (of its 95 %
        interval; shares are 0 to 1), ``bound``, ``of`` (how many listings), ``verdict``. That is ``crossed`` if the
        whole interval is beyond the bound, ``not shown`` if the amount is, and part of the interval is not, and else
        ``kept``.
    """

    run: Path
    baseline: Path | None
    passed: bool
    limits: pd.DataFrame

    def to_junit(self) -> str:
        """Return the result as CI systems read it: JUnit's XML, with a test for each limit."""
        crossed = self.limits["verdict"] == CROSSED
        counts = {"tests": str(len(self.limits)), "failures": str(int(crossed.sum())), "errors": "0", "skipped": "0"}
        root = ET.Element("testsuites", {"name": "curate", **counts})
        suite = ET.SubElement(root, "testsuite", {"name": "limits", **counts})
        for row in self.limits.to_dict("records"):
            name = f"curate.{self.run.parent.name}"
            case = ET.SubElement(suite, "testcase", classname=name, name=row["limit"], time="0")
            said = (
                f"{row['amount']:g}, 95 % interval {row['low']:g} to {row['high']:g}, of {row['of']:,}; "
                f"bound {row['bound']:g}"
            )
            if row["verdict"] == CROSSED:
                ET.SubElement(case, "failure", message=f"{row['limit']}: {said}", type="limit")
            else:
                ET.SubElement(case, "system-out").text = f"{row['verdict']}: {said}"
        ET.indent(root)
        return f"<?xml version='1.0' encoding='utf-8'?>\n{ET.tostring(root, encoding='unicode')}\n"

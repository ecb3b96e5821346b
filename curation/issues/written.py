"""What was found, written into its run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from curation.evidence.evidence import Evidence
from curation.issues.health import health
from curation.run.folder import RunFolder
from curation.run.probabilities import Probabilities
from training.utils.arrays import Int64
from training.utils.csv_files import write_csv
from training.utils.files import write_json
from training.utils.memory import release_unused
from training.utils.progress import SILENT, Reporter

__all__ = ["CSV_LISTINGS", "write_evidence", "write_found", "write_issues"]

#: Most listings of ``issues.csv``, unless it was asked for. A million take a fifth of the run.
CSV_LISTINGS = 100_000


def write_found(
    run: RunFolder, evidence: Evidence, issues: pd.DataFrame, *, csv: bool = False, reporter: Reporter = SILENT
) -> None:
    """Write probabilities, health and issues, each file whole or not at all, and tables in the order of the input.

    Parameters
    ----------
    run : RunFolder
        Its listings are written already.
    evidence : Evidence
    issues : DataFrame
        As :func:`curation.issues.find_issues` returns them, in any order.
    csv, reporter
        As for :func:`write_issues`.
    """
    write_evidence(run, evidence, issues)
    write_issues(run, issues, csv=csv, reporter=reporter)


def write_evidence(run: RunFolder, evidence: Evidence, issues: pd.DataFrame) -> None:
    """Write the probabilities and the health of a run: what the evidence is needed for.

    Parameters
    ----------
    run, evidence, issues
        As for :func:`write_found`.
    """
    table = evidence.listings
    ids, fold = table["id"].to_numpy(dtype=np.str_), table["fold"].to_numpy(dtype=np.int64)
    # an index of all ids takes a second for each million, and as much memory as the table
    same = issues["id"].array.equals(table["id"].array)
    order = np.arange(len(ids)) if same else pd.Index(issues["id"]).get_indexer(pd.Index(ids))
    Probabilities(ids, evidence.classes, evidence.probs, fold).save(
        run.probabilities_file, run.input_order(table["id"])
    )
    write_json(run.health_file, health(evidence, _in_order(issues, order)))


def write_issues(run: RunFolder, issues: pd.DataFrame, *, csv: bool = False, reporter: Reporter = SILENT) -> None:
    """Write the tables of issues of a run.

    Parameters
    ----------
    run, issues
        As for :func:`write_found`.
    csv : bool
        Whether ``issues.csv`` is written for more than :data:`CSV_LISTINGS` listings, too.
    reporter : Reporter
        Is told if it is not.
    """
    issues = _in_order(issues, run.input_order(issues["id"]))
    run.write_table(run.issues_file, issues)
    release_unused()
    table = run.issues_file.with_suffix(".csv")
    if csv or len(issues) <= CSV_LISTINGS:
        write_csv(table, issues)
    else:
        reporter.say(
            f"{table.name} is left out, for there are more than {CSV_LISTINGS:,} listings: "
            f"{run.issues_file.name} holds the same. `csv=True` writes both."
        )


def _in_order(table: pd.DataFrame, rows: Int64) -> pd.DataFrame:
    """Return the rows of a table in this order; the table itself, and no copy, if that is how they are."""
    return table if np.array_equal(rows, np.arange(len(table))) else table.iloc[rows].reset_index(drop=True)

"""curate: finds and fixes wrong labels in image listings.

Everything a notebook needs is here, by the words of the command line::

    import curation

    listings = curation.read_listings("shop.csv", columns={"label": "category"})
    run = curation.find_issues(listings)
    run.issues.query("is_label_issue").nsmallest(20, "priority")

``import curation`` itself imports nothing large: each name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import training  # noqa: F401  (forbids libraries to report their use, before any of them is imported)

if TYPE_CHECKING:
    from curation.api.cache import CacheState, cache
    from curation.api.data import demo
    from curation.api.run import Run
    from curation.api.runs import diff, find_issues, open_run, runs, status
    from curation.auditing.result import Audit
    from curation.comparison.result import Comparison, Retrained
    from curation.copying import Copied, copy_run
    from curation.demo_data import DemoSummary
    from curation.errors import (
        CurateError,
        DecisionsError,
        InputError,
        ListingsError,
        ProbabilitiesError,
        ReviewError,
        RunError,
        RunInUseError,
    )
    from curation.evidence.probabilities import Probabilities
    from curation.exploration.explore import explore
    from curation.exploration.findings import Exploration
    from curation.fixes import Fixes, Undone
    from curation.gate import Gate
    from curation.interchange.given import ImportedListings, import_listings
    from curation.issues.summary import Summary
    from curation.listings import Listings, read_listings
    from curation.models.compare import compare_models
    from curation.models.compare_result import ModelComparison
    from curation.models.export import Export
    from curation.models.model import Model, load_model
    from curation.models.predict import Predictions
    from curation.models.train import train
    from curation.models.tune import tune
    from curation.models.tune_result import TuneResult
    from curation.run.diff_result import RunDiff
    from curation.run.row import RunRow
    from curation.run.status import Status
    from curation.verification import Verified
    from training.errors import DivergedError
    from training.settings import Execution, Recipe

__all__ = [
    "Audit",
    "CacheState",
    "Comparison",
    "Copied",
    "CurateError",
    "DecisionsError",
    "DemoSummary",
    "DivergedError",
    "Execution",
    "Exploration",
    "Export",
    "Fixes",
    "Gate",
    "ImportedListings",
    "InputError",
    "Listings",
    "ListingsError",
    "Model",
    "ModelComparison",
    "Predictions",
    "Probabilities",
    "ProbabilitiesError",
    "Recipe",
    "Retrained",
    "ReviewError",
    "Run",
    "RunDiff",
    "RunError",
    "RunInUseError",
    "RunRow",
    "Status",
    "Summary",
    "TuneResult",
    "Undone",
    "Verified",
    "cache",
    "compare_models",
    "copy_run",
    "demo",
    "diff",
    "explore",
    "find_issues",
    "import_listings",
    "load_model",
    "open_run",
    "read_listings",
    "runs",
    "status",
    "train",
    "tune",
]

__version__ = "0.1.0"

#: The module that defines each public name.
_HOMES = {
    "curation.api.cache": ["CacheState", "cache"],
    "curation.api.data": ["demo"],
    "curation.api.run": ["Run"],
    "curation.api.runs": ["diff", "find_issues", "open_run", "runs", "status"],
    "curation.auditing.result": ["Audit"],
    "curation.comparison.result": ["Comparison", "Retrained"],
    "curation.copying": ["Copied", "copy_run"],
    "curation.demo_data": ["DemoSummary"],
    "curation.errors": [
        "CurateError",
        "DecisionsError",
        "InputError",
        "ListingsError",
        "ProbabilitiesError",
        "ReviewError",
        "RunError",
        "RunInUseError",
    ],
    "curation.evidence.probabilities": ["Probabilities"],
    "curation.exploration.explore": ["explore"],
    "curation.exploration.findings": ["Exploration"],
    "curation.fixes": ["Fixes", "Undone"],
    "curation.gate": ["Gate"],
    "curation.interchange.given": ["ImportedListings", "import_listings"],
    "curation.issues.summary": ["Summary"],
    "curation.listings": ["Listings", "read_listings"],
    "curation.models.compare": ["compare_models"],
    "curation.models.compare_result": ["ModelComparison"],
    "curation.models.export": ["Export"],
    "curation.models.model": ["Model", "load_model"],
    "curation.models.predict": ["Predictions"],
    "curation.models.train": ["train"],
    "curation.models.tune": ["tune"],
    "curation.models.tune_result": ["TuneResult"],
    "curation.run.diff_result": ["RunDiff"],
    "curation.run.row": ["RunRow"],
    "curation.run.status": ["Status"],
    "curation.verification": ["Verified"],
    "training.errors": ["DivergedError"],
    "training.settings": ["Execution", "Recipe"],
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used (PEP 562)."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Name what is public, for completion."""
    return [*__all__, "__version__"]

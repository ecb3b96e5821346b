"""curate: finds and fixes wrong labels in image listings.

Everything a notebook needs is here, by the words of the command line::

    import curation

    listings = curation.read_listings("shop.csv", columns={"label": "category"})
    run = curation.find_issues(listings)
    run.issues.query("is_label_issue").nsmallest(20, "priority")

``import curation`` itself imports nothing else: each name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curation.api.data import demo
    from curation.api.run import Run
    from curation.api.runs import diff, find_issues, open_run, runs
    from curation.demo_data import DemoSummary
    from curation.errors import (
        CurateError,
        DecisionsError,
        InputError,
        ListingsError,
        ProbabilitiesError,
        ReviewError,
        RunError,
    )
    from curation.evidence.probabilities import Probabilities
    from curation.exploration.explore import Exploration, explore
    from curation.fixes import Fixes
    from curation.listings import Listings, read_listings
    from training.errors import DivergedError

__all__ = [
    "CurateError",
    "DecisionsError",
    "DemoSummary",
    "DivergedError",
    "Exploration",
    "Fixes",
    "InputError",
    "Listings",
    "ListingsError",
    "Probabilities",
    "ProbabilitiesError",
    "ReviewError",
    "Run",
    "RunError",
    "demo",
    "diff",
    "explore",
    "find_issues",
    "open_run",
    "read_listings",
    "runs",
]

__version__ = "0.1.0"

#: The module that defines each public name.
_HOMES = {
    "curation.api.data": ["demo"],
    "curation.api.run": ["Run"],
    "curation.api.runs": ["diff", "find_issues", "open_run", "runs"],
    "curation.demo_data": ["DemoSummary"],
    "curation.errors": [
        "CurateError",
        "DecisionsError",
        "InputError",
        "ListingsError",
        "ProbabilitiesError",
        "ReviewError",
        "RunError",
    ],
    "curation.evidence.probabilities": ["Probabilities"],
    "curation.exploration.explore": ["Exploration", "explore"],
    "curation.fixes": ["Fixes"],
    "curation.listings": ["Listings", "read_listings"],
    "training.errors": ["DivergedError"],
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

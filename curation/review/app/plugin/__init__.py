"""What FiftyOne loads, again for every request; so all that it offers is in modules that are loaded once."""

import json
from pathlib import Path
from typing import Any

from curation.review.app import operators
from curation.review.app.environment import REVIEWER_FILE

__all__ = ["register"]


def register(plugin: Any) -> None:
    """Tell FiftyOne what there is, for the reviewer whose name lies beside this file."""
    reviewer = json.loads(Path(__file__).with_name(REVIEWER_FILE).read_text(encoding="utf-8"))
    operators.register(plugin, reviewer)

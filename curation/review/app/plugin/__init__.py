"""The plugin. FiftyOne loads it again for every request, so its content is in modules that are loaded once."""

import json
from pathlib import Path
from typing import Any

from curation.review.app import operators
from curation.review.app.environment import REVIEWER_FILE

__all__ = ["register"]


def register(plugin: Any) -> None:
    """Register all operators for the reviewer and the run in the file beside this one."""
    review = json.loads(Path(__file__).with_name(REVIEWER_FILE).read_text(encoding="utf-8"))
    operators.register(plugin, **review)

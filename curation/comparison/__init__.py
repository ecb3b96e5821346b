"""Before and after: the same models trained on both versions of a dataset, compared on one fixed test set."""

from curation.comparison.compare import SEEDS, retrain
from curation.comparison.words import CONTROLS, markdown

__all__ = ["CONTROLS", "SEEDS", "markdown", "retrain"]

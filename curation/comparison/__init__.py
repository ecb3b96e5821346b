"""Before and after: the same models trained on both versions of a dataset, compared on one fixed test set."""

__all__ = ["SEEDS"]

#: Models per version, unless another number is asked for.
SEEDS = 5

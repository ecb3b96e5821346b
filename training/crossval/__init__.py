"""One model per fold: every row is scored by a model that never saw it."""

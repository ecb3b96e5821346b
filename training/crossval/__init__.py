"""Cross-validation: one model per fold, so that each row is scored by a model not trained on it."""

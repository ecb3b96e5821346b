"""Networks: built, saved, exported, and asked for predictions."""

"""Scores of predictions, and tests of whether two versions differ."""

"""How good predictions are, and whether two versions differ."""

"""What photos look like, as numbers, and the linear models and neighbours on them."""

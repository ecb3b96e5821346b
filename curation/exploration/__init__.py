"""A look at the listings before anything is trained."""
